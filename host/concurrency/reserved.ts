// Reserved concurrency: what a whole function is guaranteed and held to. Pure: what is held in, the change out.
import type { Concurrency } from '../api/model/types.ts';
import type { FunctionChange, HeldFunction } from '../functions/functions.ts';
import type { FunctionRecord } from '../functions/record.ts';
import { ServiceError } from '../service-error.ts';
import type { Room } from './allotments.ts';
import { sharesOf } from './shares.ts';

/**
 * The change that reserves so much. Throws InvalidParameterValueException when too little of the account would be left, or when it
 * is less than what is provisioned of the function.
 */
export function reserve(held: HeldFunction, reserved: number, room: Room): FunctionChange {
  const { unreserved, minUnreserved, allotted } = room;
  if (reserved > allotted && unreserved - reserved < minUnreserved)
    throw invalid(
      `Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [${minUnreserved}].`,
    );
  const { provisionedTotal } = sharesOf(held);
  if (reserved < provisionedTotal)
    throw invalid(
      // The blanks are the service's.
      ` ReservedConcurrentExecutions  ${reserved} should not be lower than function's total provisioned concurrency [${provisionedTotal}].`,
    );
  return { root: { ...held.root, reservedConcurrency: reserved } };
}

export function withoutReserve({ root }: HeldFunction): FunctionChange {
  if (root.reservedConcurrency === undefined) return { root };
  return { root: { ...root, reservedConcurrency: undefined } };
}

/** As GetFunction shows it. */
export function reservedOf({ reservedConcurrency }: FunctionRecord): Concurrency | undefined {
  if (reservedConcurrency === undefined) return undefined;
  return { ReservedConcurrentExecutions: reservedConcurrency };
}

function invalid(message: string): ServiceError {
  return new ServiceError('InvalidParameterValueException', message, { withoutType: true });
}

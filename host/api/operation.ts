// Declaring an operation: its name in the contract, what it does, and where the service departs from its own model.
import { authorize } from '../auth/authorize.ts';
import { requireRegion, type Scope } from '../functions/names.ts';
import type { RouteMatch } from '../http/router.ts';
import type { OperationContext } from './context.ts';
import { decodeInput, type RequestHeaders } from './decode.ts';
import { type Answer, encodeOutput } from './encode.ts';
import { contractOf } from './model/contract.ts';
import type { OperationInput, OperationName, OperationOutput } from './model/types.ts';
import { type DecodedStructure, validateMembers } from './validation.ts';

export type OperationHandler<Name extends OperationName> = (
  input: OperationInput<Name>,
  context: OperationContext,
) => Promise<OperationOutput<Name>>;

export interface OperationOptions {
  /** The success status where the service departs from its model; say in a comment how that is known. */
  readonly status?: number | undefined;
  /** Limits that the service checks before any constraint of the model. Throws ServiceError. */
  readonly checkSizes?: ((input: DecodedStructure) => void) | undefined;
  /**
   * What the service looks at between the constraints on some members and those on the rest. `requireValid` throws as all
   * constraints together do when one of the members named breaks its own. Throws ServiceError.
   */
  readonly lookFirst?:
    | ((
        input: DecodedStructure,
        context: OperationContext,
        requireValid: (...members: readonly string[]) => void,
      ) => void)
    | undefined;
}

/** One request of an operation, as the listener has it. */
export interface OperationRequest {
  readonly match: RouteMatch;
  /** Names in lower case. */
  readonly headers: RequestHeaders;
  readonly body: Uint8Array;
}

/** A declared operation, its input and output types closed over, so that operations of all names fit in one list. */
export interface Operation {
  readonly name: OperationName;
  /**
   * Decodes, authorizes, validates, runs the handler and encodes what it returns. Rejects with what any of them throws. The order
   * is the service's: whose the resource is and where it is come before the form of its name.
   */
  answer(request: OperationRequest, context: OperationContext): Promise<Answer>;
}

/** Declares an operation whose handler neither sees the request nor writes the answer. */
export function operation<Name extends OperationName>(
  name: Name,
  handler: OperationHandler<Name>,
  options: OperationOptions = {},
): Operation {
  return {
    name,
    async answer({ match, headers, body }, context) {
      if (match.operation !== name) throw new Error(`${match.operation} was routed to ${name}`);
      let scoped = context;
      const input = decodeInput({ ...match, operation: name }, headers, body, (parsed) => {
        scoped = inScope(context, authorize(context.caller, name, parsed, context.policies));
        requireRegion(context, parsed['FunctionName']);
        options.checkSizes?.(parsed);
        options.lookFirst?.(parsed, scoped, (...members) =>
          validateMembers(contractOf(name).input, parsed, members),
        );
      });
      return encodeOutput(name, await handler(input, scoped), options.status);
    },
  };
}

function inScope(context: OperationContext, { account }: Scope): OperationContext {
  return account === context.account ? context : { ...context, account };
}

// Event invoke configs: retries, age and destinations of asynchronous invocations, for each qualifier of a function.
import { checkDestinations } from '../event-invoke/destinations.ts';
import type { EventInvokeRecord } from '../event-invoke/record.ts';
import {
  type EventInvokeMembers,
  merged,
  replaced,
  requireSetting,
} from '../event-invoke/settings.ts';
import type { HeldFunction } from '../functions/functions.ts';
import { type FunctionReference, functionArn, resolveReference } from '../functions/names.ts';
import {
  findTarget,
  qualifiedPart,
  qualifiedParts,
  qualifierPartName,
  withQualifiedPart,
} from '../functions/target.ts';
import { ServiceError } from '../service-error.ts';
import type { OperationContext } from './context.ts';
import type { FunctionEventInvokeConfig } from './model/types.ts';
import { operation } from './operation.ts';
import { page } from './pagination.ts';

const KIND = 'event-invoke-config';
const PAGE_CAP = 50;

interface Named {
  readonly FunctionName: string;
  readonly Qualifier?: string | undefined;
}

export const PutFunctionEventInvokeConfig = operation(
  'PutFunctionEventInvokeConfig',
  async (input, context) =>
    await change(input, context, () => replaced(input, context.stamp().epochMs)),
);

export const UpdateFunctionEventInvokeConfig = operation(
  'UpdateFunctionEventInvokeConfig',
  async (input, context) =>
    await change(input, context, (current, reference) => {
      if (current === undefined) throw noConfig(context, reference);
      return merged(current, input, context.stamp().epochMs);
    }),
);

export const GetFunctionEventInvokeConfig = operation(
  'GetFunctionEventInvokeConfig',
  async (input, context) => {
    const reference = resolve(input, context);
    const held = context.functions.held(context.account, context.region, reference.name);
    const record = held && qualifiedPart(held, KIND, reference.qualifier);
    if (record === undefined) throw noConfig(context, reference);
    return shown(context, reference, record);
  },
);

export const DeleteFunctionEventInvokeConfig = operation(
  'DeleteFunctionEventInvokeConfig',
  async (input, context) => {
    const reference = resolve(input, context);
    const { functions, account, region } = context;
    await functions.change(account, region, reference.name, (current) => {
      const { qualifier } = reference;
      if (current === undefined || qualifiedPart(current, KIND, qualifier) === undefined)
        throw noConfig(context, reference);
      const removal = withQualifiedPart(current, KIND, qualifier, undefined);
      return { change: removal, result: undefined };
    });
  },
);

export const ListFunctionEventInvokeConfigs = operation(
  'ListFunctionEventInvokeConfigs',
  async (input, context) => {
    const reference = resolve(input, context);
    const held = context.functions.held(context.account, context.region, reference.name);
    const { name } = reference;
    const configs = qualifiedParts(requireTarget(held, reference), KIND);
    const { Marker: marker, MaxItems: maxItems } = input;
    const { items, nextMarker } = page(configs, ([part]) => part, marker, maxItems, PAGE_CAP);
    return {
      FunctionEventInvokeConfigs: items.map(([qualifier, record]) =>
        shown(context, { name, qualifier }, record),
      ),
      NextMarker: nextMarker,
    };
  },
);

/** Checks in the service's order: settings, the function and its qualifier, the present config, destinations. */
async function change(
  input: Named & EventInvokeMembers,
  context: OperationContext,
  decide: (
    current: EventInvokeRecord | undefined,
    reference: FunctionReference,
  ) => EventInvokeRecord,
): Promise<FunctionEventInvokeConfig> {
  const reference = resolve(input, context);
  requireSetting(input);
  const { functions, account, region } = context;
  const { name } = reference;
  const record = await functions.change(account, region, name, (current) => {
    const held = requireTarget(current, reference);
    const { qualifier } = reference;
    const value = decide(qualifiedPart(held, KIND, qualifier), reference);
    checkDestinations(input.DestinationConfig, { account, region, name }, (...scoped) =>
      functions.held(...scoped),
    );
    return { change: withQualifiedPart(held, KIND, qualifier, value), result: value };
  });
  return shown(context, reference, record);
}

function resolve(input: Named, context: OperationContext): FunctionReference {
  return resolveReference(context, input.FunctionName, input.Qualifier);
}

/** The function, when it has what the qualifier names. */
function requireTarget(
  held: HeldFunction | undefined,
  { qualifier }: FunctionReference,
): HeldFunction {
  if (held === undefined || findTarget(held, qualifier) === undefined)
    throw new ServiceError('ResourceNotFoundException', "The function doesn't exist.");
  return held;
}

function shown(
  context: OperationContext,
  { name, qualifier }: FunctionReference,
  record: EventInvokeRecord,
): FunctionEventInvokeConfig {
  return {
    LastModified: record.lastModifiedMs / 1000,
    FunctionArn: functionArn(context, name, qualifierPartName(qualifier)),
    MaximumRetryAttempts: record.maximumRetryAttempts,
    MaximumEventAgeInSeconds: record.maximumEventAgeSeconds,
    DestinationConfig: {
      OnSuccess: { Destination: record.onSuccess },
      OnFailure: { Destination: record.onFailure },
    },
  };
}

function noConfig(context: OperationContext, { name, qualifier }: FunctionReference): ServiceError {
  const arn = functionArn(context, name, qualifierPartName(qualifier));
  return new ServiceError(
    'ResourceNotFoundException',
    `The function ${arn} doesn't have an EventInvokeConfig`,
  );
}

// Provisioned concurrency of versions and aliases.
import {
  PROVISIONED,
  provision,
  requireConfigurable,
  requirePublished,
  requireTarget,
} from '../concurrency/provisioned.ts';
import type { ProvisionedConcurrencyRecord } from '../concurrency/record.ts';
import type { HeldFunction } from '../functions/functions.ts';
import { functionArn, resolveReference, resolveUnqualified } from '../functions/names.ts';
import { qualifiedPart, qualifiedParts, withQualifiedPart } from '../functions/target.ts';
import { ServiceError } from '../service-error.ts';
import type { OperationContext } from './context.ts';
import { requireFunction } from './function-view.ts';
import type { GetProvisionedConcurrencyConfigResponse } from './model/types.ts';
import { operation } from './operation.ts';
import { page } from './pagination.ts';

const PAGE_CAP = 50;

export const PutProvisionedConcurrencyConfig = operation(
  'PutProvisionedConcurrencyConfig',
  async (input, context) => {
    const { account, region, allotments } = context;
    const { name, qualifier } = referenceOf(input, context);
    requirePublished(qualifier);
    const lastModified = provisionedTimeText(context.stamp().epochMs);
    const config = { requested: input.ProvisionedConcurrentExecutions, lastModified };
    await allotments.change(account, region, name, (current, room) => {
      const held = requireTarget(context, name, current, qualifier);
      return { change: provision(held, qualifier, config, room), result: undefined };
    });
    const held = requireFunction(context, name);
    const { StatusReason: _, ...shown } = configView(context, held, qualifier, config);
    // How it ends is told by Get.
    return { ...shown, Status: 'IN_PROGRESS' };
  },
);

export const GetProvisionedConcurrencyConfig = operation(
  'GetProvisionedConcurrencyConfig',
  async (input, context) => {
    const { account, region, functions } = context;
    const { name, qualifier } = referenceOf(input, context);
    requireConfigurable(qualifier);
    const held = requireTarget(context, name, functions.held(account, region, name), qualifier);
    const config = qualifiedPart(held, PROVISIONED, qualifier);
    if (config === undefined)
      throw new ServiceError(
        'ProvisionedConcurrencyConfigNotFoundException',
        'No Provisioned Concurrency Config found for this function',
      );
    return configView(context, held, qualifier, config);
  },
);

export const ListProvisionedConcurrencyConfigs = operation(
  'ListProvisionedConcurrencyConfigs',
  async (input, context) => {
    const held = requireFunction(context, resolveUnqualified(context, input.FunctionName));
    const { Marker: marker, MaxItems: maxItems } = input;
    const keyOf = ([qualifier]: readonly [string, unknown]) => qualifier;
    const { items, nextMarker } = page(
      qualifiedParts(held, PROVISIONED),
      keyOf,
      marker,
      maxItems,
      PAGE_CAP,
    );
    return {
      ProvisionedConcurrencyConfigs: items.map(([qualifier, config]) => ({
        FunctionArn: functionArn(context, held.root.name, qualifier),
        ...configView(context, held, qualifier, config),
      })),
      NextMarker: nextMarker,
    };
  },
);

export const DeleteProvisionedConcurrencyConfig = operation(
  'DeleteProvisionedConcurrencyConfig',
  async (input, context) => {
    const { account, region, allotments } = context;
    const { name, qualifier } = referenceOf(input, context);
    requireConfigurable(qualifier);
    await allotments.change(account, region, name, (current) => {
      const held = requireTarget(context, name, current, qualifier);
      const removal = withQualifiedPart(held, PROVISIONED, qualifier, undefined);
      return { change: removal, result: undefined };
    });
  },
);

function referenceOf(
  { FunctionName, Qualifier }: { readonly FunctionName: string; readonly Qualifier: string },
  context: OperationContext,
): { readonly name: string; readonly qualifier: string } {
  const { name } = resolveReference(context, FunctionName, Qualifier);
  return { name, qualifier: Qualifier };
}

function configView(
  context: OperationContext,
  held: HeldFunction,
  qualifier: string,
  config: ProvisionedConcurrencyRecord,
): GetProvisionedConcurrencyConfigResponse {
  const { available, status, reason } = context.provisioning.stateOf(held, qualifier, config);
  return {
    RequestedProvisionedConcurrentExecutions: config.requested,
    AvailableProvisionedConcurrentExecutions: available,
    AllocatedProvisionedConcurrentExecutions: available,
    Status: status,
    StatusReason: reason,
    LastModified: config.lastModified,
  };
}

/** `2019-12-31T20:28:49+0000`: without milliseconds, unlike every other time. */
function provisionedTimeText(epochMs: number): string {
  return new Date(epochMs).toISOString().replace(/\.\d+Z$/, '+0000');
}

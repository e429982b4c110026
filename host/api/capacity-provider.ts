// Capacity providers. They are kept and shown; functions cannot run on them yet, so nothing is started for one.
import {
  arnOfProvider,
  type CapacityProviderRecord,
  capacityProviderArn,
  newMembers,
  updatedMembers,
} from '../capacity/record.ts';
import { lastModifiedText } from '../functions/record.ts';
import { ServiceError } from '../service-error.ts';
import { withTags } from '../tags/tags.ts';
import type { OperationContext } from './context.ts';
import type { CapacityProvider, CapacityProviderState } from './model/types.ts';
import { operation } from './operation.ts';
import { page } from './pagination.ts';

const PAGE_CAP = 50;

export const CreateCapacityProvider = operation(
  'CreateCapacityProvider',
  async (input, context) => {
    const arn = arnOfProvider(context, input.CapacityProviderName);
    const name = arn.slice(arn.lastIndexOf(':') + 1);
    if (capacityProviderArn(context, name) !== arn)
      throw new ServiceError(
        'InvalidParameterValueException',
        `The capacity provider ${arn} cannot be created in the region ${context.region}.`,
      );
    const record: CapacityProviderRecord = {
      account: context.account,
      region: context.region,
      name,
      members: newMembers(input, lastModifiedText(context.stamp().epochMs)),
      tags: withTags({}, input.Tags ?? {}),
    };
    await context.capacityProviders.create(record, alreadyExists);
    return { CapacityProvider: shown(record, 'Pending') };
  },
);

export const GetCapacityProvider = operation('GetCapacityProvider', async (input, context) => ({
  CapacityProvider: shown(requireNamed(context, input.CapacityProviderName), 'Active'),
}));

export const UpdateCapacityProvider = operation(
  'UpdateCapacityProvider',
  async (input, context) => {
    const arn = arnOfProvider(context, input.CapacityProviderName);
    const lastModified = lastModifiedText(context.stamp().epochMs);
    const record = await context.capacityProviders.change(context, arn, (current) => ({
      ...current,
      members: updatedMembers(current.members, input, lastModified),
    }));
    return { CapacityProvider: shown(record, 'Pending') };
  },
);

export const DeleteCapacityProvider = operation(
  'DeleteCapacityProvider',
  async (input, context) => {
    const arn = arnOfProvider(context, input.CapacityProviderName);
    const record = await context.capacityProviders.remove(context, arn);
    return { CapacityProvider: shown(record, 'Deleting') };
  },
);

export const ListCapacityProviders = operation('ListCapacityProviders', async (input, context) => {
  const { State: state, Marker: marker, MaxItems: maxItems } = input;
  // Whatever is kept is Active.
  const isShown = state === undefined || state === 'Active';
  const providers = isShown ? [...context.capacityProviders.of(context)] : [];
  const { items, nextMarker } = page(providers, ({ name }) => name, marker, maxItems, PAGE_CAP);
  const shownItems = items.map((item) => shown(item, 'Active'));
  return { CapacityProviders: shownItems, NextMarker: nextMarker };
});

export const ListFunctionVersionsByCapacityProvider = operation(
  'ListFunctionVersionsByCapacityProvider',
  async (input, context) => {
    const { account, region, name } = requireNamed(context, input.CapacityProviderName);
    // CreateFunction refuses CapacityProviderConfig, so there is no version to list.
    return {
      CapacityProviderArn: capacityProviderArn({ account, region }, name),
      FunctionVersions: [],
    };
  },
);

function requireNamed(context: OperationContext, nameOrArn: string): CapacityProviderRecord {
  return context.capacityProviders.require(context, arnOfProvider(context, nameOrArn));
}

function alreadyExists(arn: string): ServiceError {
  return new ServiceError('ResourceConflictException', `Capacity provider already exists: ${arn}`);
}

/** Changes are done when they are answered; answers to them show the state that the service passes through. */
function shown(record: CapacityProviderRecord, state: CapacityProviderState): CapacityProvider {
  return {
    CapacityProviderArn: capacityProviderArn(record, record.name),
    State: state,
    ...record.members,
  };
}

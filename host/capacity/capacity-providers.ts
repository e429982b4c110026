// All capacity providers of the host: kept and shown. No function can have one yet.
import { ServiceError } from '../service-error.ts';
import { ScopedResources } from '../store/scoped-resources.ts';
import type { Registry } from '../store/store.ts';
import { type CapacityProviderRecord, capacityProviderArn } from './record.ts';

export type CapacityProviders = ScopedResources<CapacityProviderRecord>;

/** Reads all records into memory. */
export function openCapacityProviders(registry: Registry): Promise<CapacityProviders> {
  return ScopedResources.open(registry, {
    kind: 'capacity-provider',
    arnOf: (record) => capacityProviderArn(record, record.name),
    notFound: (arn) =>
      new ServiceError('ResourceNotFoundException', `Capacity provider not found: ${arn}`),
  });
}

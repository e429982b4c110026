// What is stored of a capacity provider, its names, and what requests make of it.
import type {
  CapacityProvider,
  CapacityProviderScalingConfig,
  CreateCapacityProviderRequest,
  InstanceRequirements,
  UpdateCapacityProviderRequest,
} from '../api/model/types.ts';
import { partitionOf, type Scope } from '../functions/names.ts';
import type { Tags } from '../tags/tags.ts';

/** There are no instances to start or end, so the stored state is always Active and is not kept. */
export interface CapacityProviderRecord {
  readonly account: string;
  readonly region: string;
  readonly name: string;
  readonly members: Omit<CapacityProvider, 'CapacityProviderArn' | 'State'>;
  readonly tags: Tags;
}

/** The members of a new provider, with the service's defaults. */
export function newMembers(
  request: CreateCapacityProviderRequest,
  lastModified: string,
): CapacityProviderRecord['members'] {
  return {
    VpcConfig: request.VpcConfig,
    PermissionsConfig: request.PermissionsConfig,
    InstanceRequirements: withArchitectures(request.InstanceRequirements),
    CapacityProviderScalingConfig: withLimits(request.CapacityProviderScalingConfig),
    KmsKeyArn: request.KmsKeyArn || undefined,
    LastModified: lastModified,
    PropagateTags: request.PropagateTags,
    TelemetryConfig: request.TelemetryConfig,
  };
}

/** Members left out stay; those given replace. */
export function updatedMembers(
  current: CapacityProviderRecord['members'],
  request: UpdateCapacityProviderRequest,
  lastModified: string,
): CapacityProviderRecord['members'] {
  const { CapacityProviderScalingConfig: scaling } = request;
  return {
    ...current,
    CapacityProviderScalingConfig:
      scaling === undefined ? current.CapacityProviderScalingConfig : withLimits(scaling),
    PropagateTags: request.PropagateTags ?? current.PropagateTags,
    TelemetryConfig: request.TelemetryConfig ?? current.TelemetryConfig,
    LastModified: lastModified,
  };
}

export function capacityProviderArn({ account, region }: Scope, name: string): string {
  return `arn:${partitionOf(region)}:lambda:${region}:${account}:capacity-provider:${name}`;
}

/** The ARN that a name or ARN means in a scope; an ARN stays as it is. */
export function arnOfProvider(scope: Scope, nameOrArn: string): string {
  return nameOrArn.startsWith('arn:') ? nameOrArn : capacityProviderArn(scope, nameOrArn);
}

function withArchitectures(given: InstanceRequirements | undefined): InstanceRequirements {
  return { ...given, Architectures: given?.Architectures ?? ['x86_64'] };
}

function withLimits(
  given: CapacityProviderScalingConfig | undefined,
): CapacityProviderScalingConfig {
  return {
    ...given,
    MaxVCpuCount: given?.MaxVCpuCount ?? 400,
    ScalingMode: given?.ScalingMode ?? 'Auto',
  };
}

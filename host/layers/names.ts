// Layer names and ARNs: the forms that the API accepts, taken apart once at the edge.
import { partitionOf, type Scope } from '../functions/names.ts';
import { ServiceError } from '../service-error.ts';

/** A layer, possibly of another account. */
export interface LayerReference extends Scope {
  readonly name: string;
}

export interface LayerVersionReference extends LayerReference {
  readonly version: number;
}

/**
 * A LayerName member that has passed its pattern: a name, or an ARN without a version. Throws ResourceNotFoundException when the ARN
 * names another region.
 */
export function resolveLayerName(scope: Scope, layerName: string): LayerReference {
  const { account, region } = scope;
  if (!layerName.startsWith('arn:')) return { account, region, name: layerName };
  const [, , , arnRegion = '', arnAccount = '', , name = ''] = layerName.split(':');
  requireRegion(scope, arnRegion);
  return { account: arnAccount, region, name };
}

/**
 * The layer version of an ARN that has passed its pattern; undefined for layers of the service itself, which have neither region nor
 * account and do not exist here.
 */
export function parseLayerVersionArn(arn: string): LayerVersionReference | undefined {
  const [, , , region = '', account = '', kind, name = '', version] = arn.split(':');
  if (kind !== 'layer') return undefined;
  return { account, region, name, version: Number(version) };
}

/** Throws ResourceNotFoundException. */
export function requireRegion(scope: Scope, region: string): void {
  if (region === scope.region) return;
  throw new ServiceError(
    'ResourceNotFoundException',
    `Layers from '${region}' are not reachable in this region ('${scope.region}')`,
  );
}

export function layerArn({ account, region, name }: LayerReference): string {
  return `arn:${partitionOf(region)}:lambda:${region}:${account}:layer:${name}`;
}

export function layerVersionArn(layer: LayerReference, version: number): string {
  return `${layerArn(layer)}:${version}`;
}

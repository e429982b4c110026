// Layers on functions: which of them a function may name, and what is kept of them with the function.
import type { AttachedLayer, FunctionSettings } from '../functions/record.ts';
import { ServiceError } from '../service-error.ts';
import { type AccessScope, requireAccess } from './access.ts';
import type { Layers } from './layers.ts';
import { type LayerVersionReference, layerArn, parseLayerVersionArn } from './names.ts';

const MAX_LAYERS = 5;

/** The service's limit for what a function's code and layers have together. */
const MAX_UNZIPPED_BYTES = 262_144_000;

/** Where layers are looked up, and for whom. */
export interface LayerScope extends AccessScope {
  readonly layers: Layers;
}

interface NamedLayer {
  readonly arn: string;
  readonly reference: LayerVersionReference;
}

/**
 * What a Layers member names, in its order. Throws InvalidParameterValueException, and AccessDeniedException for a layer of another
 * account that does not let the caller use it.
 */
export function attachedLayers(scope: LayerScope, arns: readonly string[]): AttachedLayer[] {
  if (arns.length > MAX_LAYERS) refuse(`Cannot reference more than ${MAX_LAYERS} layers.`);
  const named = arns.map((arn) => ({ arn, reference: parseLayerVersionArn(arn) ?? missing(arn) }));
  for (const { reference } of named) checkPlace(scope, reference);
  const attached = named.map(({ arn, reference }) => {
    const content = scope.layers.version(reference, reference.version)?.content;
    return { arn, content: content ?? missing(arn) };
  });
  checkDistinct(named);
  return attached;
}

/** Throws InvalidParameterValueException when code and layers are too large together; the code alone has been checked before. */
export function checkCombinedSize({ code, layers = [] }: FunctionSettings): void {
  const bytes = layers.reduce(
    (sum, { content }) => sum + content.unzippedBytes,
    code.unzippedBytes,
  );
  if (bytes > MAX_UNZIPPED_BYTES)
    refuse(
      `Function code combined with layers exceeds the maximum allowed size of ${MAX_UNZIPPED_BYTES} bytes. The actual size is ${bytes} bytes.`,
    );
}

/** The packages of a function's layers, in the order in which they are laid over one another; undefined when it has none. */
export function layerDigests({
  layers = [],
}: Pick<FunctionSettings, 'layers'>): readonly string[] | undefined {
  return layers.length === 0 ? undefined : layers.map(({ content }) => content.digest);
}

/** What is in another region is not looked for; of another account's layer not even the region is told. */
function checkPlace(scope: LayerScope, { version, ...layer }: LayerVersionReference): void {
  requireAccess(scope, layer, version);
  if (layer.region !== scope.region)
    refuse(
      `Layers are not in the same region as the function. Layers are expected to be in region ${scope.region}.`,
    );
}

function checkDistinct(named: readonly NamedLayer[]): void {
  const seen = new Map<string, string>();
  for (const { arn, reference } of named) {
    const layer = layerArn(reference);
    const other = seen.get(layer);
    if (other !== undefined)
      refuse(
        `Two different versions of the same layer are not allowed to be referenced in the same function. ${other} and ${arn} are versions of the same layer.`,
      );
    seen.set(layer, arn);
  }
}

function missing(arn: string): never {
  refuse(`Layer version ${arn} does not exist.`);
}

function refuse(message: string): never {
  throw new ServiceError('InvalidParameterValueException', message);
}

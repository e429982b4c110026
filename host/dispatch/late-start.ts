// Whether the program of a function can start only when the function is known: for its variables, or for extensions that come first.
import { startsLate } from '../../runtime/slots/start-variables.ts';
import type { FunctionSettings } from '../functions/record.ts';
import { layerDigests } from '../layers/attach.ts';

/** What must be known of layers. See `CodePackages` in host/code/packages.ts. */
export interface LayerContents {
  layersHold(digests: readonly string[], name: string): boolean | undefined;
}

/** Also where nobody can say yet what the layers hold: a late start does for all, it only takes longer. */
export function needsLateStart(settings: FunctionSettings, layers: LayerContents): boolean {
  if (startsLate(settings.runtime, settings.variables ?? {})) return true;
  const digests = layerDigests(settings);
  return digests !== undefined && layers.layersHold(digests, 'extensions') !== false;
}

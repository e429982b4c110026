// Turns a generic slot into an environment of one function version: layers and code by renames, the variables by one frame.
import { rename } from 'node:fs/promises';
import type { EnvironmentSpec, NewInstance } from '../invocation.ts';
import type { SlotShape } from '../sandbox/sandbox.ts';
import type { Slot } from '../slots/slot.ts';
import { placeLayers } from './place-layers.ts';

/** What a spec's slots have in common with those of other functions. */
export function slotShape(
  spec: Pick<EnvironmentSpec, 'runtime' | 'memoryMib' | 'ephemeralStorageMib' | 'startsLate'>,
): SlotShape {
  const { runtime, memoryMib, ephemeralStorageMib, startsLate } = spec;
  return { runtime, memoryMib, ephemeralStorageMib, startsLate };
}

/**
 * Resolves when the code is in place and the frame is on its way, with the epoch milliseconds until when its credentials
 * hold. Rejects with whatever stood in the way; what was staged is then given back.
 */
export async function specialise(
  slot: Slot,
  spec: EnvironmentSpec,
  instance: NewInstance,
): Promise<number> {
  const { paths, taskDir, optDir } = slot.sandbox;
  const discard = (directory: string) => spec.discardCode(directory);
  const staged = spec.stageCode();
  const layers = spec.stageLayers?.();
  // Seen below, or overtaken by the failure of the variables.
  staged.catch(() => {});
  layers?.catch(() => {});
  try {
    const runtimeApi = await slot.runtimeApi;
    const { variables, expiresAtMs } = await spec.variables({ ...instance, paths, runtimeApi });
    // Ahead of the code, for which slots with start variables wait: these may name files of layers.
    if (layers !== undefined) await placeLayers(await layers, optDir);
    await rename(await staged, taskDir);
    const { importsFromNodePath } = spec;
    const { withdrawnFile, optDir: optPath } = paths;
    slot.specialise(
      { env: variables, withdrawnFile, optDir: optPath, importsFromNodePath },
      spec.accountId,
    );
    return expiresAtMs ?? Number.POSITIVE_INFINITY;
  } catch (error) {
    void staged.then(discard, () => {});
    throw error;
  } finally {
    void layers?.then(discard, () => {});
  }
}

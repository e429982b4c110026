// A code directory of a test's own, with real blobs beside it, and what tests look at in it.
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ArchiveRefused } from '../../host/code/entry-rules.ts';
import {
  type CodePackages,
  type CodePackagesOptions,
  openCodePackages,
} from '../../host/code/packages.ts';
import { ServiceError } from '../../host/service-error.ts';
import { type FileBlobs, openBlobs } from '../../host/store/blobs.ts';
import { systemClock } from '../../runtime/clock.ts';

export interface Place extends AsyncDisposable {
  readonly codeDir: string;
  readonly blobs: FileBlobs;
  readonly packages: CodePackages;
  /** Names below a folder of the code directory. */
  names(folder: string): Promise<readonly string[]>;
  /** Names of the stored blobs. */
  blobNames(): Promise<readonly string[]>;
}

/** Fails at its disposal when something failed in the background. */
export async function openPlace(options: Partial<CodePackagesOptions> = {}): Promise<Place> {
  const root = await mkdtemp(join(tmpdir(), 'code-test-'));
  const codeDir = options.codeDir ?? join(root, 'code');
  const blobs = await openBlobs({ folder: join(root, 'blobs'), now: () => Date.now() });
  const faults: unknown[] = [];
  const opening = openCodePackages({
    blobs,
    clock: systemClock,
    onFault: (error) => faults.push(error),
    ...options,
    codeDir,
  });
  const packages = await opening.catch(async (error: unknown) => {
    await rm(root, { recursive: true, force: true });
    throw error;
  });
  return {
    codeDir,
    blobs,
    packages,
    names: (folder) => readdir(join(codeDir, folder)),
    blobNames: async () => {
      const all = await readdir(join(root, 'blobs'), { recursive: true });
      return all.filter((name) => name.length > 64);
    },
    [Symbol.asyncDispose]: async () => {
      await packages[Symbol.asyncDispose]();
      await blobs[Symbol.asyncDispose]();
      await rm(root, { recursive: true, force: true });
      assert.deepEqual(faults, []);
    },
  };
}

export const malformedText =
  'Could not unzip uploaded file. Please check your file, then try to upload again.';

/** Adds what must be refused; returns the precise reason, after seeing that nothing of the archive is left. */
export async function refusal(
  place: Place,
  archive: Uint8Array,
  text = malformedText,
): Promise<string> {
  let reason: string | undefined;
  await assert.rejects(place.packages.add(archive), (error) => {
    assert(error instanceof ServiceError, String(error));
    assert.equal(error.name, 'InvalidParameterValueException');
    assert.equal(error.message, text);
    assert.equal(error.status, 400);
    assert(error.cause instanceof ArchiveRefused, String(error.cause));
    reason = error.cause.message;
    return true;
  });
  await nothingLeft(place);
  assert(reason !== undefined);
  return reason;
}

/** Waits until staging and trash are empty and sees that there is no tree, clone or blob. */
export async function nothingLeft(place: Place): Promise<void> {
  await waitFor(async () => {
    return (await place.names('staging')).length + (await place.names('trash')).length === 0;
  });
  assert.deepEqual(await place.names('trees'), []);
  assert.deepEqual(await place.names('clones'), []);
  assert.deepEqual(await place.blobNames(), []);
}

/** Polls until it is so; fails after ten seconds. */
export async function waitFor(condition: () => Promise<boolean> | boolean): Promise<void> {
  for (let tries = 0; tries < 1000; tries += 1) {
    if (await condition()) return;
    await delay(10);
  }
  assert.fail(`still not so: ${condition.toString()}`);
}

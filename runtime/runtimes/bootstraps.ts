// The directories that become /var/runtime. The Node bootstrap is bundled into one file, so that a slot reads one file and strips
// no types; kept by content, made once per change. The Python one is used as it is.
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';

const SOURCE = path.join(import.meta.dirname, '..', '..', 'bootstrap', 'node');
const PYTHON_SOURCE = path.join(import.meta.dirname, '..', '..', 'bootstrap', 'python');
const WAITING_SOURCE = path.join(import.meta.dirname, '..', '..', 'bootstrap', 'provided');

export interface Bootstrap {
  /** Directory that becomes `/var/runtime`; holds `main.mjs` or `main.py`. */
  readonly directory: string;
  /** SHA-256 of sources and bundler settings, hex. */
  readonly hash: string;
}

/** What waits in a slot whose program starts late. */
export interface WaitingShell {
  /** Directory that becomes `/var/runtime` where nothing else is there. */
  readonly directory: string;
  /** For `sh -c`. */
  readonly script: string;
}

export async function waitingShell(): Promise<WaitingShell> {
  const script = await readFile(path.join(WAITING_SOURCE, 'wait.sh'), 'utf8');
  return { directory: WAITING_SOURCE, script };
}

/** The Python bootstrap where it lies. */
export async function pythonBootstrap(): Promise<Bootstrap> {
  const hash = createHash('sha256').update('python 1\n');
  const names = await readdir(PYTHON_SOURCE, { recursive: true });
  for (const name of names.toSorted()) {
    if (!name.endsWith('.py')) continue;
    hash.update(`${name}\n`).update(await readFile(path.join(PYTHON_SOURCE, name)));
  }
  return { directory: PYTHON_SOURCE, hash: hash.digest('hex') };
}

/** The Node bootstrap for the host's own major version, and in the language of those before it. */
export interface NodeBootstraps {
  readonly current: Bootstrap;
  readonly older: Bootstrap;
}

/** Writes `<directory>/node-<hash>/main.mjs` for both unless they are there, and removes all others. */
export async function bundleNodeBootstraps(directory: string): Promise<NodeBootstraps> {
  const current = await bundled(directory, 'node24');
  const older = await bundled(directory, 'node20');
  const wanted = [current, older].map((each) => path.basename(each.directory));
  for (const name of await readdir(directory))
    if (!wanted.includes(name))
      await rm(path.join(directory, name), { recursive: true, force: true });
  return { current, older };
}

type Target = 'node24' | 'node20';

async function bundled(directory: string, target: Target): Promise<Bootstrap> {
  const hash = await sourceHash(target);
  const place = path.join(directory, `node-${hash.slice(0, 16)}`);
  if (!(await exists(path.join(place, 'main.mjs')))) await bundleInto(place, target);
  return { directory: place, hash };
}

async function sourceHash(target: Target): Promise<string> {
  const hash = createHash('sha256').update(`esbuild esm ${target} 1\n`);
  for (const name of (await readdir(SOURCE)).toSorted()) {
    if (!name.endsWith('.ts')) continue;
    hash.update(`${name}\n`).update(await readFile(path.join(SOURCE, name)));
  }
  return hash.digest('hex');
}

async function bundleInto(place: string, target: Target): Promise<void> {
  // Loaded only here: an unchanged bootstrap must not cost the start-up time of a bundler.
  const { build, stop } = await import('esbuild');
  const result = await build({
    entryPoints: [path.join(SOURCE, 'main.ts')],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target,
    legalComments: 'none',
  });
  // Its process would stay for the life of the host.
  await stop();
  const [file] = result.outputFiles;
  if (file === undefined) throw new Error('the bundler gave no output for the Node bootstrap');
  const half = `${place}.${process.pid}`;
  await mkdir(half, { recursive: true, mode: 0o755 });
  await writeFile(path.join(half, 'main.mjs'), file.contents, { mode: 0o644 });
  await rm(place, { recursive: true, force: true });
  await rename(half, place);
}

async function exists(file: string): Promise<boolean> {
  return (await stat(file).catch(() => undefined)) !== undefined;
}

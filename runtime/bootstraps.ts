// The directories that become /var/runtime. The Node bootstrap is bundled into one file, so that a slot reads one file and strips
// no types; kept by content, made once per change. The Python one is used as it is.
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';

const SOURCE = path.join(import.meta.dirname, '..', 'bootstrap', 'node');
const PYTHON_SOURCE = path.join(import.meta.dirname, '..', 'bootstrap', 'python');
const WAITING_SOURCE = path.join(import.meta.dirname, '..', 'bootstrap', 'provided');

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

/** Writes `<directory>/node-<hash>/main.mjs` unless it is there, and removes older ones. */
export async function bundleNodeBootstrap(directory: string): Promise<Bootstrap> {
  const hash = await sourceHash();
  const target = path.join(directory, `node-${hash.slice(0, 16)}`);
  if (!(await exists(path.join(target, 'main.mjs')))) await bundleInto(target);
  for (const name of await readdir(directory))
    if (name !== path.basename(target))
      await rm(path.join(directory, name), { recursive: true, force: true });
  return { directory: target, hash };
}

async function sourceHash(): Promise<string> {
  const hash = createHash('sha256').update('esbuild esm node24 1\n');
  for (const name of (await readdir(SOURCE)).toSorted()) {
    if (!name.endsWith('.ts')) continue;
    hash.update(`${name}\n`).update(await readFile(path.join(SOURCE, name)));
  }
  return hash.digest('hex');
}

async function bundleInto(target: string): Promise<void> {
  // Loaded only here: an unchanged bootstrap must not cost the start-up time of a bundler.
  const { build, stop } = await import('esbuild');
  const result = await build({
    entryPoints: [path.join(SOURCE, 'main.ts')],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    legalComments: 'none',
  });
  // Its process would stay for the life of the host.
  await stop();
  const [file] = result.outputFiles;
  if (file === undefined) throw new Error('the bundler gave no output for the Node bootstrap');
  const half = `${target}.${process.pid}`;
  await mkdir(half, { recursive: true, mode: 0o755 });
  await writeFile(path.join(half, 'main.mjs'), file.contents, { mode: 0o644 });
  await rm(target, { recursive: true, force: true });
  await rename(half, target);
}

async function exists(file: string): Promise<boolean> {
  return (await stat(file).catch(() => undefined)) !== undefined;
}

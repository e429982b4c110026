// Which Nodes this machine has beside the one that runs the host: what was installed for it, then PATH, then where systems and
// version managers put them. The first of each major version that runs.
import { execFile } from 'node:child_process';
import { open, readdir, realpath } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

/** Major versions that functions may ask for; that of the host is its own affair. */
export const NODE_MAJORS = [22, 20] as const;

export type NodeMajor = (typeof NODE_MAJORS)[number];

/** A program that has not answered by now is no Node. */
const PROBE_LIMIT_MS = 10_000;

const SYSTEM_PLACES = [
  '/usr/local/bin',
  '/usr/bin',
  '/usr/local/n/versions/node/*/bin',
  '/opt/hostedtoolcache/node/*/*/bin',
];

/** Below the home of the host's user. */
const HOME_PLACES = [
  '.nvm/versions/node/*/bin',
  '.asdf/installs/nodejs/*/bin',
  '.local/share/mise/installs/node/*/bin',
  '.local/share/fnm/node-versions/*/installation/bin',
  '.volta/tools/image/node/*/bin',
];

export interface NodePlaces {
  /** Where {@link installedProgram} puts what was installed for this host. */
  readonly installDir: string;
  /** As in the variable PATH; empty when there is none. */
  readonly searchPath: string;
  readonly home: string;
}

export interface NodeInterpreter {
  readonly major: NodeMajor;
  /** `22.11.0` */
  readonly version: string;
  /** Host path of the program, all links resolved. */
  readonly file: string;
}

/** At most one for each major version. Never rejects for what lies on the machine. */
export async function findNodes(places: NodePlaces): Promise<readonly NodeInterpreter[]> {
  const found = new Map<NodeMajor, NodeInterpreter>();
  const tried = new Set<string>();
  for (const directory of await directoriesOf(places)) {
    if (found.size === NODE_MAJORS.length) break;
    const file = await programIn(directory);
    if (file === undefined || tried.has(file)) continue;
    tried.add(file);
    const node = await probeNode(file);
    if (node !== undefined && !found.has(node.major)) found.set(node.major, node);
  }
  return [...found.values()];
}

/** What was looked at, for people. */
export const NODE_PLACES =
  'PATH, /usr/local/bin, /usr/bin and the folders of nvm, asdf, mise, fnm, volta and n';

/** Where the Node of a major version is, once it was installed for this host. */
export function installedProgram(installDir: string, major: NodeMajor): string {
  return path.join(installDir, `node-${major}`, 'bin', 'node');
}

/** Asks a program what it is; undefined when it is no Node of a version and architecture for us. */
export async function probeNode(file: string): Promise<NodeInterpreter | undefined> {
  const question = 'process.release.name, process.arch, process.versions.node';
  try {
    const { stdout } = await promisify(execFile)(file, ['-p', `[${question}].join(" ")`], {
      env: {},
      cwd: '/',
      timeout: PROBE_LIMIT_MS,
    });
    const [name, arch, version = ''] = stdout.trim().split(' ');
    const major = NODE_MAJORS.find((each) => version.startsWith(`${each}.`));
    if (name !== 'node' || arch !== process.arch || major === undefined) return undefined;
    return { major, version, file };
  } catch {
    return undefined; // it does not run, or not as Node does: there may be another one
  }
}

async function directoriesOf({ installDir, searchPath, home }: NodePlaces): Promise<string[]> {
  const installed = NODE_MAJORS.map((major) => path.dirname(installedProgram(installDir, major)));
  const onPath = searchPath.split(path.delimiter).filter((each) => path.isAbsolute(each));
  const patterns = [...SYSTEM_PLACES, ...HOME_PLACES.map((place) => path.join(home, place))];
  const expanded = await Promise.all(patterns.map((pattern) => matching(pattern)));
  return [...new Set([...installed, ...onPath, ...expanded.flat()])];
}

/** A version manager's stand-in, a script, is none: what it stands for is found where it is. */
async function programIn(directory: string): Promise<string | undefined> {
  try {
    const file = await realpath(path.join(directory, 'node'));
    await using handle = await open(file, 'r');
    const { buffer } = await handle.read(Buffer.alloc(4), 0, 4, 0);
    return buffer.toString('latin1', 0, 2) === '#!' ? undefined : file;
  } catch {
    return undefined; // absent, or not ours to read
  }
}

/** One directory for each that matches, newer versions first. */
async function matching(pattern: string): Promise<readonly string[]> {
  const at = pattern.indexOf('/*/');
  if (at < 0) return [pattern];
  const before = pattern.slice(0, at);
  const names = await readdir(before).catch(() => []); // absent or closed to us: nothing to be found there
  const sorted = names.toSorted((a, b) => b.localeCompare(a, 'en', { numeric: true }));
  const deeper = sorted.map((name) => matching(`${before}/${name}${pattern.slice(at + 2)}`));
  return (await Promise.all(deeper)).flat();
}

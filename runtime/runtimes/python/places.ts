// Where Python interpreters lie on a machine: what is named by the operator, then PATH, then where systems and version managers
// put them. Looks at directories only; whether what lies there runs is found out by probe.ts.
import { open, readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';

/** The minor versions of Python 3 that the service has runtimes for. */
export const PYTHON_MINORS = [9, 10, 11, 12, 13, 14] as const;

export type PythonMinor = (typeof PYTHON_MINORS)[number];

/** Directories with programs, below the home of the host's user; `*` stands for one directory each. */
const HOME_PLACES = [
  '.pyenv/versions/*/bin',
  '.asdf/installs/python/*/bin',
  '.local/share/mise/installs/python/*/bin',
  '.local/share/uv/python/*/bin',
  '.local/bin',
];

const SYSTEM_PLACES = [
  '/usr/local/bin',
  '/usr/bin',
  '/opt/homebrew/bin',
  '/opt/python/*/bin',
  '/opt/hostedtoolcache/Python/*/*/bin',
];

export interface PythonPlaces {
  /** Interpreters, or directories that hold some or are the prefix of one; absolute. */
  readonly named: readonly string[];
  /** As in the variable PATH; empty when there is none. */
  readonly searchPath: string;
  readonly home: string;
}

/** A program that may be an interpreter, all links resolved. */
export interface PythonCandidate {
  readonly file: string;
  /** Change with the program. */
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  /** By the name it was found under; undefined for one that was named outright. */
  readonly minor: PythonMinor | undefined;
}

/** All of them, those to be preferred first, each program once. Newer versions come first within one version manager. */
export async function findCandidates(places: PythonPlaces): Promise<readonly PythonCandidate[]> {
  const { named, searchPath, home } = places;
  const inNamed = await Promise.all(named.map((each) => candidatesNamed(each)));
  const patterns = [
    ...searchPath.split(path.delimiter).filter((each) => path.isAbsolute(each)),
    ...SYSTEM_PLACES,
    ...HOME_PLACES.map((place) => path.join(home, place)),
  ];
  const directories = (await Promise.all(patterns.map((each) => expanded(each)))).flat();
  const elsewhere = await Promise.all([...new Set(directories)].map((each) => candidatesIn(each)));
  const found = [...inNamed, ...elsewhere].flat();
  return [...new Map(found.toReversed().map((each) => [each.file, each])).values()].toReversed();
}

/** What was looked at, for people. */
export function describePlaces({ named }: Pick<PythonPlaces, 'named'>): string {
  const own = named.length === 0 ? '' : `${named.join(', ')}, `;
  return `${own}PATH, /usr/bin, /usr/local/bin and the folders of pyenv, asdf, mise and uv`;
}

async function candidatesNamed(place: string): Promise<readonly PythonCandidate[]> {
  const isFile = (await statOf(place))?.isFile() === true;
  if (!isFile)
    return (await Promise.all([candidatesIn(place), candidatesIn(`${place}/bin`)])).flat();
  const candidate = await candidateAt(place, undefined);
  return candidate === undefined ? [] : [candidate];
}

async function candidatesIn(directory: string): Promise<readonly PythonCandidate[]> {
  const names = new Set(await listed(directory));
  const minors = PYTHON_MINORS.filter((minor) => names.has(`python3.${minor}`));
  const found = minors.map((minor) => candidateAt(`${directory}/python3.${minor}`, minor));
  return (await Promise.all(found)).filter((each) => each !== undefined);
}

/** A version manager's stand-in, a script or a link to the manager, is none: what it stands for is found where it is. */
async function candidateAt(
  place: string,
  minor: PythonMinor | undefined,
): Promise<PythonCandidate | undefined> {
  try {
    const file = await realpath(place);
    const stats = await stat(file);
    if (!/^python3?/i.test(path.basename(file)) || (await isScript(file))) return undefined;
    return { file, sizeBytes: stats.size, modifiedMs: stats.mtimeMs, minor };
  } catch {
    return undefined; // a link that leads nowhere, or what is not ours to read: no interpreter for us
  }
}

async function isScript(file: string): Promise<boolean> {
  await using handle = await open(file, 'r');
  const { buffer } = await handle.read(Buffer.alloc(2), 0, 2, 0);
  return buffer.toString('latin1') === '#!';
}

/** One directory for each that matches; a name that sorts last, such as that of a newer version, comes first. */
async function expanded(pattern: string): Promise<readonly string[]> {
  const [before, ...after] = pattern.split('/*/');
  const rest = after.join('/*/');
  if (before === undefined || rest === '') return [pattern];
  const names = (await listed(before)).toSorted((a, b) =>
    b.localeCompare(a, 'en', { numeric: true }),
  );
  return (await Promise.all(names.map((name) => expanded(`${before}/${name}/${rest}`)))).flat();
}

async function listed(directory: string): Promise<readonly string[]> {
  return readdir(directory).catch(() => []); // absent or closed to us: nothing to be found there
}

function statOf(place: string) {
  return stat(place).catch(() => undefined); // the same
}

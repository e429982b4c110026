// Which Pythons this machine has: the first candidate of each version that runs. What an interpreter said of itself is kept by
// path, size and time, so that a start of the host runs only those it has not seen.
import { execFile } from 'node:child_process';
import { readFile, realpath, rename, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { hasErrorCode } from '../../error-code.ts';
import {
  findCandidates,
  PYTHON_MINORS,
  type PythonCandidate,
  type PythonMinor,
  type PythonPlaces,
} from './places.ts';

/** Raised when the question or what is kept of the answer changes. */
const FORMAT = 2;

/** An interpreter that has not answered by now is not one. */
const PROBE_LIMIT_MS = 10_000;

const QUESTION =
  'import sys; print(sys.implementation.name, "%d.%d.%d" % sys.version_info[:3], sys.base_prefix, sep="\\n")';

export interface PythonInterpreter {
  readonly minor: PythonMinor;
  /** `3.13.0` */
  readonly version: string;
  /** Host path of the whole installation, which holds the standard library. */
  readonly prefix: string;
  /** Host path of the program, below `prefix`. */
  readonly file: string;
}

/** What one program said of itself; undefined when it is no interpreter for us. */
type Facts = Omit<PythonInterpreter, 'file'> | undefined;

/** A program that was silent may have been so for a reason that passes, such as a machine without memory. */
type Answer = { readonly kind: 'told'; readonly facts: Facts } | { readonly kind: 'silent' };

/** Whatever else lies in these is no secret: sandboxes see it anyway. */
const SYSTEM_PREFIXES: ReadonlySet<string> = new Set(['/usr', '/usr/local']);

interface Kept {
  readonly format: number;
  readonly facts: Readonly<Record<string, Facts | null>>;
}

/** At most one for each version. Never rejects for what lies on the machine. */
export async function findPythons(
  places: PythonPlaces,
  cacheFile: string,
): Promise<readonly PythonInterpreter[]> {
  const candidates = await findCandidates(places);
  const home = await realpath(places.home).catch(() => places.home); // one that there is not holds nothing
  const known = await readKept(cacheFile);
  const seen = new Map<string, Facts>();
  const factsOf = async (candidate: PythonCandidate): Promise<Facts> => {
    const key = keyOf(candidate);
    const answer: Answer =
      key in known ? { kind: 'told', facts: known[key] ?? undefined } : await probe(candidate.file);
    if (answer.kind === 'silent') return undefined;
    seen.set(key, answer.facts);
    return answer.facts;
  };
  const interpreterOf = async (candidate: PythonCandidate) =>
    interpreter(candidate, await factsOf(candidate), home);
  const named = candidates.filter(({ minor }) => minor === undefined);
  const first = await Promise.all(named.map(interpreterOf));
  const found = await Promise.all(
    PYTHON_MINORS.map(
      async (minor) =>
        first.find((each) => each?.minor === minor) ??
        (await firstThatRuns(
          candidates.filter((each) => each.minor === minor),
          interpreterOf,
        )),
    ),
  );
  if ([...seen.keys()].some((key) => !(key in known))) await writeKept(cacheFile, known, seen);
  return found.filter((each) => each !== undefined);
}

async function firstThatRuns(
  candidates: readonly PythonCandidate[],
  interpreterOf: (candidate: PythonCandidate) => Promise<PythonInterpreter | undefined>,
): Promise<PythonInterpreter | undefined> {
  for (const candidate of candidates) {
    const found = await interpreterOf(candidate);
    if (found !== undefined && found.minor === candidate.minor) return found;
  }
  return undefined;
}

/**
 * One whose program lies outside its prefix (a wrapper, an embedded one) could not be shown to a sandbox, and one whose prefix holds
 * the user's home, or their `.local`, must not be: functions would see what else is there.
 */
function interpreter(
  { file }: PythonCandidate,
  facts: Facts,
  home: string,
): PythonInterpreter | undefined {
  if (facts === undefined || !file.startsWith(`${facts.prefix}/`)) return undefined;
  const holdsHome = `${home}/.local/`.startsWith(`${facts.prefix}/`);
  if (holdsHome && !SYSTEM_PREFIXES.has(facts.prefix)) return undefined;
  return { ...facts, file };
}

async function probe(file: string): Promise<Answer> {
  try {
    const { stdout } = await promisify(execFile)(file, ['-I', '-S', '-c', QUESTION], {
      env: {},
      cwd: '/',
      timeout: PROBE_LIMIT_MS,
    });
    const [implementation, version = '', prefix = ''] = stdout.split('\n');
    const [major, minorText] = version.split('.');
    const minor = PYTHON_MINORS.find((each) => `${each}` === minorText);
    if (implementation !== 'cpython' || major !== '3' || minor === undefined)
      return { kind: 'told', facts: undefined };
    return { kind: 'told', facts: { minor, version, prefix: await realpath(prefix) } };
  } catch (error) {
    // It does not run, or not as an interpreter: there may be another one. Only a status is its own word.
    const hasEnded = error instanceof Error && 'code' in error && typeof error.code === 'number';
    return hasEnded ? { kind: 'told', facts: undefined } : { kind: 'silent' };
  }
}

function keyOf({ file, sizeBytes, modifiedMs }: PythonCandidate): string {
  return `${file}:${sizeBytes}:${modifiedMs}`;
}

async function readKept(cacheFile: string): Promise<Kept['facts']> {
  try {
    const kept = JSON.parse(await readFile(cacheFile, 'utf8')) as Partial<Kept> | null; // checked by its format
    return kept?.format === FORMAT && kept.facts !== undefined ? kept.facts : {};
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT') || error instanceof SyntaxError) return {};
    throw error;
  }
}

async function writeKept(
  cacheFile: string,
  known: Kept['facts'],
  seen: ReadonlyMap<string, Facts>,
): Promise<void> {
  const news = [...seen].map(([key, facts]) => [key, facts ?? null] as const);
  const kept: Kept = { format: FORMAT, facts: { ...known, ...Object.fromEntries(news) } };
  await writeFile(`${cacheFile}.new`, JSON.stringify(kept), { mode: 0o600 });
  await rename(`${cacheFile}.new`, cacheFile);
}

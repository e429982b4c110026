// The folder of secrets: 0700, its files 0600, each written whole or not at all, and reread when somebody edits them.
import { type BigIntStats, readFileSync, statSync } from 'node:fs';
import { chmod, mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ifPresent, replaceFile, syncDirectory } from '../store/files.ts';

/** A file that does not hold what it should. The message names the file and never quotes a secret. */
export class SecretFileError extends Error {
  override readonly name = 'SecretFileError';
}

/** How often an edited file is looked for, at most. */
const lookEveryMs = 1_000;
const fileMode = 0o600;

/** Creates the folder if need be and closes it to others. */
export async function openSecretsDir(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  await chmod(path, 0o700);
}

/** Writes or replaces a secret; on disk when it resolves. One writer at a time. */
export async function writeSecret(path: string, text: string): Promise<void> {
  await replaceFile(path, `${path}.new`, text, fileMode);
  await syncDirectory(dirname(path));
}

/** The text of a secret, undefined when there is none. Takes away what others were allowed. */
export async function readSecret(path: string): Promise<string | undefined> {
  const text = await ifPresent(readFile(path, 'utf8'));
  if (text !== undefined) await chmod(path, fileMode);
  return text;
}

/** The secret of that name, made and stored on first use. */
export async function ensureSecret(path: string, make: () => string): Promise<string> {
  const known = (await readSecret(path))?.trim();
  if (known !== undefined && known !== '') return known;
  const fresh = make();
  await writeSecret(path, `${fresh}\n`);
  return fresh;
}

/** What a reader of JSON throws: turned into words about the file. */
export function parseJsonSecret<Value>(
  path: string,
  text: string,
  check: (value: unknown) => Value,
): Value {
  try {
    const value: unknown = JSON.parse(text);
    return check(value);
  } catch (error) {
    // The parser's own text quotes the file, so only its place is passed on.
    const why = error instanceof SyntaxError ? 'it is not JSON' : String(error);
    throw new SecretFileError(`${path}: ${why.replace(/^\w*Error: /, '')}`);
  }
}

export interface WatchedFileOptions<Value> {
  readonly path: string;
  /** Throws when the text is not in order. */
  readonly parse: (text: string) => Value;
  /** What an absent file means at the start; afterwards an absent file changes nothing. */
  readonly absent: Value;
  /** Milliseconds of any clock that moves forward. */
  readonly now: () => number;
  /** Gets one sentence for each state of the file that cannot be used. */
  readonly onProblem: (problem: string) => void;
}

/**
 * What a file says, looked at again at most once a second and only when it is asked for. A file that cannot be used leaves
 * the last good value in force. The first reading throws instead.
 */
export class WatchedFile<Value> {
  readonly #options: WatchedFileOptions<Value>;
  #value: Value;
  #seen: string;
  #lookedAt: number;

  constructor(options: WatchedFileOptions<Value>) {
    this.#options = options;
    this.#lookedAt = options.now();
    this.#seen = this.#state();
    this.#value = this.#seen === absentState ? options.absent : this.#read();
  }

  get current(): Value {
    if (Math.abs(this.#options.now() - this.#lookedAt) >= lookEveryMs) this.#look();
    return this.#value;
  }

  #look(): void {
    this.#lookedAt = this.#options.now();
    try {
      const state = this.#state();
      if (state === this.#seen) return;
      this.#seen = state;
      if (state === absentState) throw new SecretFileError(`${this.#options.path} is gone`);
      this.#value = this.#read();
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#options.onProblem(`${why}; what it said before stays in force`);
    }
  }

  /** Taken before the content, so that a change in between is seen the next time. */
  #state(): string {
    const stats = statSync(this.#options.path, { bigint: true, throwIfNoEntry: false });
    return stats === undefined ? absentState : stateOf(stats);
  }

  #read(): Value {
    return this.#options.parse(readFileSync(this.#options.path, 'utf8'));
  }
}

const absentState = 'absent';

function stateOf(stats: BigIntStats): string {
  return `${stats.ino} ${stats.size} ${stats.mtimeNs} ${stats.ctimeNs}`;
}

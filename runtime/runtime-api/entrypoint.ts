// Finds the program of a custom runtime and says, as the kernel would, why it could not be started. Looked at from outside,
// since a shell or env(1) inside would run what the kernel refuses as a script of its own.
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { posix } from 'node:path';
import { hasErrorCode } from '../error-code.ts';
import type { SandboxPaths } from '../protocol.ts';

/** A slot's directories, outside and inside. */
export interface EntrypointPlace {
  /** Host path of the code. */
  readonly taskDir: string;
  /** Host path of the layers. */
  readonly optDir: string;
  readonly paths: Pick<SandboxPaths, 'taskRoot' | 'optDir'>;
}

export type Entrypoint =
  | { readonly kind: 'found'; readonly path: string }
  /** `reason` in the service's words. */
  | { readonly kind: 'none'; readonly reason: string };

const NAME = 'bootstrap';

/** Covers the kernel's 256 bytes of a script's first line, and the headers of an ELF file as linkers lay them out. */
const HEAD_BYTES = 4096;
const SCRIPT_LINE_BYTES = 256;

const ELF_MAGIC = 0x7f454c46;
const ELF_64_LITTLE = 0x0201;
const PROGRAM_INTERPRETER = 3;
const MACHINES: Partial<Record<NodeJS.Architecture, number>> = { x64: 62, arm64: 183 };

/** In place of an interpreter: the kernel of this machine cannot run files of that form. */
const UNKNOWN_FORMAT = '';

/** The code's own `bootstrap`, else that of a layer. Reads a few blocks of the disk. */
export function findEntrypoint(
  place: EntrypointPlace,
  architecture: NodeJS.Architecture,
): Entrypoint {
  const { taskRoot, optDir } = place.paths;
  const inside = [`${taskRoot}/${NAME}`, `${optDir}/${NAME}`];
  const path = inside.find((each) => isFile(outside(place, each)));
  if (path === undefined)
    return { kind: 'none', reason: `Couldn't find valid bootstrap(s): [${inside.join(' ')}]` };
  const refusal = whyNotStartable(place, path, architecture);
  if (refusal === undefined) return { kind: 'found', path };
  return { kind: 'none', reason: `fork/exec ${path}: ${refusal}` };
}

/** In the kernel's words; undefined when nothing speaks against starting what is at `path` inside. */
export function whyNotStartable(
  place: EntrypointPlace,
  path: string,
  architecture: NodeJS.Architecture,
): string | undefined {
  const file = outside(place, path);
  if (!isExecutable(file)) return 'permission denied';
  const interpreter = interpreterOf(headOf(file), architecture);
  if (interpreter === UNKNOWN_FORMAT) return 'exec format error';
  if (interpreter === undefined) return undefined;
  const program = outside(place, interpreter);
  if (!isFile(program)) return 'no such file or directory';
  return isExecutable(program) ? undefined : 'permission denied';
}

/** The host path of what is at `path` for the function. What is not of the slot is the machine's own. */
function outside({ taskDir, optDir, paths }: EntrypointPlace, named: string): string {
  // A script may name its interpreter by any way, which begins where programs are started and leads as it does for the function.
  const path = posix.resolve(paths.taskRoot, named);
  if (path.startsWith(`${paths.taskRoot}/`)) return taskDir + path.slice(paths.taskRoot.length);
  if (path.startsWith(`${paths.optDir}/`)) return optDir + path.slice(paths.optDir.length);
  return path;
}

/** The program that runs this one; undefined when none is needed. */
function interpreterOf(head: Buffer, architecture: NodeJS.Architecture): string | undefined {
  if (head.subarray(0, 2).toString('latin1') === '#!') return scriptInterpreter(head);
  if (head.length >= 64 && head.readUInt32BE(0) === ELF_MAGIC)
    return elfInterpreter(head, architecture);
  return UNKNOWN_FORMAT;
}

/** A line that ends in CR names an interpreter whose name does. */
function scriptInterpreter(head: Buffer): string {
  const [line = ''] = head.toString('utf8', 2, SCRIPT_LINE_BYTES).split('\n');
  const [name = ''] = line.replace(/^[ \t]+/, '').split(/[ \t\0]/);
  return name;
}

function elfInterpreter(head: Buffer, architecture: NodeJS.Architecture): string | undefined {
  const isOurs = head.readUInt16BE(4) === ELF_64_LITTLE;
  if (!isOurs || head.readUInt16LE(18) !== MACHINES[architecture]) return UNKNOWN_FORMAT;
  const table = Number(head.readBigUInt64LE(32));
  const size = head.readUInt16LE(54);
  for (let index = 0; index < head.readUInt16LE(56); index += 1) {
    const at = table + index * size;
    if (at + 40 > head.length) return undefined;
    if (head.readUInt32LE(at) !== PROGRAM_INTERPRETER) continue;
    const start = Number(head.readBigUInt64LE(at + 8));
    const length = Number(head.readBigUInt64LE(at + 32));
    // Without the NUL at its end. One that lies elsewhere is left to the kernel.
    return start + length > head.length
      ? undefined
      : head.toString('utf8', start, start + length - 1);
  }
  return undefined;
}

function headOf(file: string): Buffer {
  const descriptor = openSync(file, 'r');
  try {
    const head = Buffer.alloc(HEAD_BYTES);
    return head.subarray(0, readSync(descriptor, head));
  } finally {
    closeSync(descriptor);
  }
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG', 'EACCES')) return false;
    throw error;
  }
}

function isExecutable(path: string): boolean {
  return (statSync(path).mode & 0o111) !== 0;
}

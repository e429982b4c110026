// Which runtime identifiers this machine can run, and how a slot for each is started.
import { createHash } from 'node:crypto';
import type { SlotProgram, SlotShape } from '../sandbox/sandbox.ts';
import { v8Flags } from '../sandbox/v8-flags.ts';
import type { Bootstrap, NodeBootstraps, WaitingShell } from './bootstraps.ts';
import { NODE_MAJORS, NODE_PLACES, type NodeInterpreter } from './node/find.ts';
import { PYTHON_MINORS } from './python/places.ts';
import type { PythonInterpreter } from './python/probe.ts';

export interface RuntimeVersion {
  /** As INIT_START names it: `nodejs:24.v21`. */
  readonly name: string;
  /** What makes the runtime version ARN unique, 64 hex digits. */
  readonly hash: string;
}

/** Why an identifier cannot be run here, and what to do: two sentences. */
export interface MissingRuntime {
  readonly reason: string;
  readonly remedy: string;
}

export type RuntimeSupport =
  | { readonly kind: 'available'; readonly version: RuntimeVersion }
  | { readonly kind: 'missing'; readonly missing: MissingRuntime };

export interface RuntimesOptions {
  /** Host path of the Node binary that runs `nodejs24.x`. */
  readonly node: string;
  /** Its version, `24.21.0`. */
  readonly nodeVersion: string;
  readonly bootstraps: NodeBootstraps;
  /** Nodes of other major versions. */
  readonly nodes: readonly NodeInterpreter[];
  readonly waiting: WaitingShell;
  readonly python: {
    /** Holds `main.py`. */
    readonly bootstrap: Bootstrap;
    readonly interpreters: readonly PythonInterpreter[];
    /** Where they were looked for, for people. */
    readonly places: string;
  };
}

/** A runtime that can be started here. */
interface Runnable {
  readonly version: RuntimeVersion;
  readonly program: (shape: SlotShape) => SlotProgram;
}

const NODE = 'nodejs24.x';

/** Programs of functions themselves; they are made for Linux. */
const CUSTOM = process.platform === 'linux' ? ['provided.al2023', 'provided.al2', 'provided'] : [];

export class Runtimes {
  readonly #runnable: Map<string, Runnable>;
  readonly #pythonPlaces: string;
  readonly #waiting: WaitingShell;
  readonly #bootstraps: NodeBootstraps;
  /** Those that have come up in a sandbox since the start. */
  readonly #proven = new Set<string>();
  /** What was found and has not come up in a sandbox yet, when it should have, with the reason. */
  readonly #unfit = new Map<string, string>();

  constructor(options: RuntimesOptions) {
    const { bootstrap, interpreters, places } = options.python;
    this.#pythonPlaces = places;
    this.#waiting = options.waiting;
    this.#bootstraps = options.bootstraps;
    this.#runnable = new Map([
      [NODE, nodeRunnable(options.node, options.nodeVersion, options.bootstraps.current)],
      ...CUSTOM.map((runtime) => [runtime, customRunnable(runtime, options.waiting)] as const),
      ...interpreters.map(
        (each) => [`python3.${each.minor}`, pythonRunnable(each, bootstrap)] as const,
      ),
    ]);
    for (const each of options.nodes) this.addNode(each);
  }

  /** Runtime identifiers that can be invoked here, the most usual one first. */
  get available(): readonly string[] {
    return Object.keys(this.versions);
  }

  /** Names of their versions, by identifier. */
  get versions(): Readonly<Record<string, string>> {
    const entries = [...this.#runnable].filter(([runtime]) => !this.#unfit.has(runtime));
    return Object.fromEntries(entries.map(([runtime, { version }]) => [runtime, version.name]));
  }

  support(runtime: string): RuntimeSupport {
    const runnable = this.#runnable.get(runtime);
    if (runnable !== undefined && !this.#unfit.has(runtime))
      return { kind: 'available', version: runnable.version };
    return { kind: 'missing', missing: this.#missing(runtime) };
  }

  /** What the ARN of a runtime version ends in: of what runs here, or of the bare name. */
  hash(runtime: string): string {
    const support = this.support(runtime);
    if (support.kind === 'available') return support.version.hash;
    return createHash('sha256').update(runtime).digest('hex');
  }

  /** The program of a slot; the runtime must be available. */
  program(shape: SlotShape): SlotProgram {
    const runnable = this.#runnable.get(shape.runtime);
    if (runnable === undefined)
      throw new Error(`no program for the runtime ${shape.runtime} on this machine`);
    const program = runnable.program(shape);
    const waits = shape.startsLate === true || program.interpreter === undefined;
    return waits ? { ...program, waitScript: this.#waiting.script } : program;
  }

  /** One that has been found, or installed just now. */
  addNode({ major, version, file }: NodeInterpreter): void {
    const runtime = `nodejs${major}.x`;
    this.#unfit.delete(runtime);
    this.#runnable.set(runtime, nodeRunnable(file, version, this.#bootstraps.older));
  }

  /**
   * A slot has come up, or, with a reason, has not. An installation that was found need not work: its libraries may lie where
   * sandboxes do not see them. One that has come up before has met with something that passes.
   */
  noteBoot(runtime: string, failure: string | undefined): void {
    if (runtime === NODE || this.#proven.has(runtime)) return;
    if (failure === undefined) {
      this.#proven.add(runtime);
      this.#unfit.delete(runtime);
    } else this.#unfit.set(runtime, failure);
  }

  #missing(runtime: string): MissingRuntime {
    const unfit = this.#unfit.get(runtime);
    const reason =
      unfit === undefined
        ? `it needs ${whatItNeeds(runtime, this.#pythonPlaces)}`
        : `what was found for it does not start in a sandbox: ${unfit}`;
    const [, language, version = ''] = /^(python|nodejs)(3\.\d+|\d+)/.exec(runtime) ?? [];
    if (language === 'python' && isPython(version))
      return { reason, remedy: installPython(version) };
    if (isOlderNode(version)) return { reason, remedy: installNode(version) };
    return { reason, remedy: REMEDY };
  }
}

function nodeRunnable(file: string, version: string, { directory, hash }: Bootstrap): Runnable {
  const [major, minor] = version.split('.');
  const name = `nodejs:${major}.v${minor}`;
  return {
    // Of the host's own version the bootstrap says it all: it is installed with the host.
    version: { name, hash: `nodejs${major}.x` === NODE ? hash : hashOf(`${hash} ${name}`) },
    program: ({ memoryMib }) => ({
      runtimeDir: directory,
      interpreter: file,
      arguments: ({ runtimeDir }) => [...v8Flags(memoryMib), `${runtimeDir}/main.mjs`],
    }),
  };
}

/** Without `site`, which would let functions import what happens to be installed on this machine. */
const PYTHON_FLAGS = ['-s', '-S'];

function pythonRunnable(
  { minor, version, prefix, file }: PythonInterpreter,
  { directory, hash }: Bootstrap,
): Runnable {
  const patch = version.split('.')[2];
  return {
    version: { name: `python:3.${minor}.v${patch}`, hash: hashOf(`${hash} ${version}`) },
    program: () => ({
      runtimeDir: directory,
      interpreter: file,
      languageDir: prefix,
      arguments: ({ runtimeDir }) => [...PYTHON_FLAGS, `${runtimeDir}/main.py`],
    }),
  };
}

/** As INIT_START names it, `provided:al2023.v1`: nothing of ours is in what runs there. */
function customRunnable(runtime: string, { directory }: WaitingShell): Runnable {
  const name = `${runtime.replace('.', ':')}.v1`;
  return {
    version: { name, hash: hashOf(name) },
    // Which program it is, its code decides.
    program: () => ({ runtimeDir: directory, interpreter: undefined, arguments: () => [] }),
  };
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

const REMEDY = `To use a runtime it has, run: aws lambda update-function-configuration --function-name NAME --runtime ${NODE}`;

function isPython(version: string): boolean {
  return PYTHON_MINORS.some((minor) => `3.${minor}` === version);
}

function installPython(version: string): string {
  return `Install it with one of: uv python install ${version}; pyenv install ${version}; apt-get install python${version}. Then start the host again`;
}

function isOlderNode(major: string): boolean {
  return NODE_MAJORS.some((each) => `${each}` === major);
}

function installNode(major: string): string {
  return `Install it with one of: nvm install ${major}; fnm install ${major}; mise install node@${major}; or let the host do so (setting node.install). Then start the host again`;
}

function whatItNeeds(runtime: string, pythonPlaces: string): string {
  const [, language, version] = /^(nodejs|python|java|ruby|dotnet|go)([\d.]*)/.exec(runtime) ?? [];
  switch (language) {
    case 'nodejs': {
      const major = version?.replace(/\.$/, '') ?? '';
      return isOlderNode(major)
        ? `Node.js ${major}, and none was found in ${NODE_PLACES}`
        : `Node.js ${major}, which this host does not start`;
    }
    case 'python':
      return isPython(version ?? '')
        ? `an interpreter called python${version}, and none was found in ${pythonPlaces}`
        : `Python ${version}, which this host does not start`;
    case 'java':
      return `a Java ${version} runtime client, which this host does not start`;
    case 'ruby':
      return `a Ruby ${version} runtime client, which this host does not start`;
    case 'dotnet':
      return `a .NET ${version} runtime client, which this host does not start`;
    default:
      return 'a runtime that this host does not know';
  }
}

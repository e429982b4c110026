// Which runtime identifiers this machine can run, and how a slot for each is started.
import { createHash } from 'node:crypto';
import path from 'node:path';
import type { SandboxPaths } from './protocol.ts';
import type { SlotProgram, SlotShape } from './sandbox/sandbox.ts';
import { v8Flags } from './sandbox/v8-flags.ts';

export interface RuntimeVersion {
  /** As INIT_START names it: `nodejs:24.v21`. */
  readonly name: string;
  /** What makes the runtime version ARN unique, 64 hex digits. */
  readonly hash: string;
}

/** Why an identifier cannot be run here: what was looked for and what to do. */
export interface MissingRuntime {
  readonly lookedFor: string;
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
  /** Host directory with the bundled bootstrap, `main.mjs`, and its content hash. */
  readonly bootstrap: { readonly directory: string; readonly hash: string };
}

const AVAILABLE = 'nodejs24.x';

/** Programs of functions themselves; they are made for Linux. */
const CUSTOM = process.platform === 'linux' ? ['provided.al2023', 'provided.al2', 'provided'] : [];

/** Holds the shell script in which a slot waits for such a program. */
const WAITING = path.join(import.meta.dirname, '..', 'bootstrap', 'provided');

export class Runtimes {
  readonly #options: RuntimesOptions;
  readonly #version: RuntimeVersion;

  constructor(options: RuntimesOptions) {
    this.#options = options;
    const [major, minor] = options.nodeVersion.split('.');
    this.#version = { name: `nodejs:${major}.v${minor}`, hash: options.bootstrap.hash };
  }

  /** Runtime identifiers that can be invoked here. */
  get available(): readonly string[] {
    return [AVAILABLE, ...CUSTOM];
  }

  support(runtime: string): RuntimeSupport {
    if (runtime === AVAILABLE) return { kind: 'available', version: this.#version };
    if (CUSTOM.includes(runtime)) return { kind: 'available', version: customVersion(runtime) };
    return { kind: 'missing', missing: { lookedFor: whatItNeeds(runtime), remedy: REMEDY } };
  }

  /** What the ARN of a runtime version ends in: of what runs here, or of the bare name. */
  hash(runtime: string): string {
    const support = this.support(runtime);
    if (support.kind === 'available') return support.version.hash;
    return createHash('sha256').update(runtime).digest('hex');
  }

  /** The program of a slot; the runtime must be available. */
  program(shape: SlotShape): SlotProgram {
    if (CUSTOM.includes(shape.runtime)) return WAITING_PROGRAM;
    if (shape.runtime !== AVAILABLE)
      throw new Error(`no program for the runtime ${shape.runtime} on this machine`);
    return {
      runtimeDir: this.#options.bootstrap.directory,
      interpreter: this.#options.node,
      arguments: (paths: SandboxPaths) => [
        ...v8Flags(shape.memoryMib),
        `${paths.runtimeDir}/main.mjs`,
      ],
    };
  }
}

const WAITING_PROGRAM: SlotProgram = {
  runtimeDir: WAITING,
  interpreter: undefined,
  arguments: (paths: SandboxPaths) => ['/bin/sh', `${paths.runtimeDir}/wait.sh`],
};

/** As INIT_START names it, `provided:al2023.v1`: nothing of ours is in what runs there. */
function customVersion(runtime: string): RuntimeVersion {
  const name = `${runtime.replace('.', ':')}.v1`;
  return { name, hash: createHash('sha256').update(name).digest('hex') };
}

const REMEDY = `run: aws lambda update-function-configuration --function-name NAME --runtime ${AVAILABLE}`;

function whatItNeeds(runtime: string): string {
  const [, language, version] = /^(nodejs|python|java|ruby|dotnet|go)([\d.]*)/.exec(runtime) ?? [];
  switch (language) {
    case 'nodejs':
      return `Node.js ${version?.replace(/\.$/, '')}`;
    case 'python':
      return `a Python ${version} interpreter`;
    case 'java':
      return `a Java ${version} runtime client`;
    case 'ruby':
      return `a Ruby ${version} runtime client`;
    case 'dotnet':
      return `a .NET ${version} runtime client`;
    default:
      return 'a custom runtime over the Runtime API';
  }
}

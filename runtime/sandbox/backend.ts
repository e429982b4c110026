// The three ways to hold a slot's processes, strongest first: bubblewrap, a user of its own, a plain process.

import type { SandboxPaths } from '../protocol.ts';
import {
  type BwrapAbilities,
  bwrapArguments,
  bwrapCommand,
  insideInterpreter,
  insideLanguageDir,
  insidePaths,
  systemBinds,
} from './bwrap.ts';
import type { SlotGroup } from './cgroup.ts';
import { entered, limited, type ProcessLimits } from './command.ts';
import { namespaceTree, type ProcessTree, sessionTree, userTree } from './kill.ts';
import type { FilterFile, Launched, LaunchPlan } from './launch.ts';
import type { LateProgram, SlotShape } from './sandbox.ts';
import type { Tools } from './tools.ts';
import { asUser, asUserAlone } from './uid.ts';

/** Where one slot lives. */
export interface SlotPlace {
  /** Its directory by a path that its user can walk. */
  readonly dir: string;
  /** Its user; undefined when it is the host's own. */
  readonly uid: number | undefined;
  readonly group: SlotGroup | undefined;
}

/** A slot's program with host paths that its user can reach. */
export interface ReachableProgram {
  readonly runtimeDir: string;
  readonly interpreter: string | undefined;
  /** See {@link SlotProgram.languageDir}; the interpreter is below it. */
  readonly languageDir?: string | undefined;
  /** The interpreter's arguments, or the whole command where there is none. */
  readonly arguments: readonly string[];
  /** See {@link SlotProgram.waitScript}. */
  readonly waitScript?: string | undefined;
}

/** One way of holding processes. */
export interface Backend {
  readonly kind: 'bwrap' | 'uid' | 'process';
  /** Whether a main process that died of signal n shows as exit code 128+n. */
  readonly signalsAsCodes: boolean;
  paths(place: SlotPlace, runtimeDir: string): SandboxPaths;
  plan(place: SlotPlace, shape: SlotShape, program: ReachableProgram): LaunchPlan;
  tree(launched: Launched, place: SlotPlace): ProcessTree;
}

export interface BackendOptions {
  readonly tools: Tools;
  readonly maxProcesses: number;
}

/** What a function gets on the service. */
const openFiles = 1024;
/** Below this much beyond MemorySize Node does not start: V8 reserves a code range of 512 MiB. */
const dataHeadroomMib = 640;
const bytesPerMib = 1_048_576;

/** Without a group, RLIMIT_DATA is what stops one huge allocation that no poll is fast enough for. */
function limits(place: SlotPlace, shape: SlotShape, processes: number | undefined): ProcessLimits {
  const dataMib = place.group === undefined ? dataHeadroomMib + shape.memoryMib : undefined;
  return { processes, openFiles, dataMib };
}

export interface BwrapOptions extends BackendOptions {
  readonly bwrap: string;
  readonly abilities: BwrapAbilities;
  readonly filter: FilterFile | undefined;
  readonly passwdFile: string;
}

export function bwrapBackend(options: BwrapOptions): Backend {
  const { tools, bwrap, abilities, filter } = options;
  const system = systemBinds();
  return {
    kind: 'bwrap',
    signalsAsCodes: true,
    paths: () => insidePaths,
    plan(place, shape, program) {
      const seen = seenInside(program);
      const main = commandOf(seen, tools);
      const inside = limited(tools, limits(place, shape, options.maxProcesses), main);
      const command = bwrapCommand(bwrap, inside);
      const view = {
        varDir: `${place.dir}/var`,
        optDir: `${place.dir}/opt`,
        runtimeDir: program.runtimeDir,
        interpreter: program.interpreter,
        languageDir: program.languageDir,
        passwdFile: options.passwdFile,
        tmpBytes: shape.ephemeralStorageMib * bytesPerMib,
        withFilter: filter !== undefined,
      };
      const dropped =
        place.uid === undefined ? command : asUser(required(tools.setpriv), place.uid, command);
      return {
        command: entered(tools, place.group?.joinFiles ?? [], dropped),
        bwrap: { arguments: bwrapArguments(view, abilities, system), filter },
        lateProgram: lateProgramOf(seen),
      };
    },
    tree: (launched, place) => namespaceTree(launched.child, launched.innerPid, place.group),
  };
}

export function uidBackend({ tools, maxProcesses }: BackendOptions): Backend {
  return {
    kind: 'uid',
    signalsAsCodes: false,
    paths: ownPaths,
    plan(place, shape, program) {
      const main = commandOf(program, tools);
      const inside = limited(tools, limits(place, shape, maxProcesses), main);
      const dropped = asUserAlone(required(tools.setpriv), requiredUid(place), inside);
      return {
        command: entered(tools, place.group?.joinFiles ?? [], dropped),
        lateProgram: lateProgramOf(program),
      };
    },
    tree: (launched, place) => userTree(launched.child, requiredUid(place), place.group),
  };
}

export function processBackend({ tools }: BackendOptions): Backend {
  return {
    kind: 'process',
    signalsAsCodes: false,
    paths: ownPaths,
    plan(place, shape, program) {
      // RLIMIT_NPROC would count all processes of the host's user, so there is none.
      const main = commandOf(program, tools);
      const inside = limited(tools, limits(place, shape, undefined), main);
      const tied =
        tools.setpriv === undefined ? inside : [tools.setpriv, '--pdeathsig=KILL', ...inside];
      return {
        command: entered(tools, place.group?.joinFiles ?? [], tied),
        lateProgram: lateProgramOf(program),
      };
    },
    tree: (launched, place) => sessionTree(launched.child, place.group),
  };
}

/** The program with the paths that it has in the mount view. */
function seenInside(program: ReachableProgram): ReachableProgram {
  const { interpreter, languageDir } = program;
  if (interpreter === undefined) return program;
  if (languageDir === undefined) return { ...program, interpreter: insideInterpreter };
  return {
    ...program,
    languageDir: insideLanguageDir,
    interpreter: insideLanguageDir + interpreter.slice(languageDir.length),
  };
}

/** Without a mount view everything is where it really is. */
function ownPaths(place: SlotPlace, runtimeDir: string): SandboxPaths {
  return {
    taskRoot: `${place.dir}/var/task`,
    runtimeDir,
    optDir: `${place.dir}/opt`,
    tmpDir: `${place.dir}/tmp`,
    withdrawnFile: `${place.dir}/var/withdrawn`,
  };
}

function commandOf(program: ReachableProgram, { sh, env }: Tools): readonly string[] {
  const { waitScript } = program;
  if (waitScript !== undefined) return [sh, '-c', waitScript];
  const { command, librariesDir } = startOf(program);
  return librariesDir === undefined
    ? command
    : [env, `LD_LIBRARY_PATH=${librariesDir}`, ...command];
}

/** An installation may look for its own libraries where it was built to lie, which is not where it is seen. */
function startOf(program: ReachableProgram): LateProgram {
  const { interpreter, languageDir } = program;
  const command = interpreter === undefined ? [] : [interpreter];
  return {
    command: [...command, ...program.arguments],
    librariesDir: languageDir === undefined ? undefined : `${languageDir}/lib`,
  };
}

function lateProgramOf(program: ReachableProgram): LateProgram | undefined {
  return program.waitScript === undefined ? undefined : startOf(program);
}

function required(setpriv: string | undefined): string {
  if (setpriv === undefined) throw new Error('a user per slot needs setpriv(1)');
  return setpriv;
}

function requiredUid(place: SlotPlace): number {
  if (place.uid === undefined) throw new Error('this backend runs every slot as a user of its own');
  return place.uid;
}

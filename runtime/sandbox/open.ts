// Opens the sandboxes of one host: finds out what this machine can hold, says so, and spawns by the strongest way it has.
import { type Candidate, chooseBackend, type Surroundings } from './candidates.ts';
import { openGround, sharedNames } from './ground.ts';
import { FilterFile } from './launch.ts';
import { MemoryPoll } from './memory-poll.ts';
import { LanguageViews, ReachableCopies } from './reach.ts';
import { isolationReport } from './report.ts';
import type {
  IsolationReport,
  IsolationTier,
  Sandbox,
  SandboxConfig,
  Sandboxes,
  SlotProgram,
  SlotShape,
} from './sandbox.ts';
import { seccompFilter } from './seccomp.ts';
import { findTools } from './tools.ts';

/**
 * Kills and removes what a dead host of the same id left, probes this machine (about 100 ms; remembered until reboot), and
 * returns the factory. Throws when `mode` requires a tier that the machine does not reach; the message says why not.
 */
export async function openSandboxes(config: SandboxConfig): Promise<Sandboxes> {
  await using stack = new AsyncDisposableStack();
  const ground = stack.use(await openGround(config));
  const filterBytes = process.platform === 'linux' ? seccompFilter(process.arch) : undefined;
  const filter = filterBytes === undefined ? undefined : stack.use(new FilterFile(filterBytes));
  const poll = stack.use(new MemoryPoll(() => performance.now()));
  const tools = findTools(config.bwrapPath);
  const around: Surroundings = { config, ground, tools, filter, poll };
  const { candidate, reason } = await chooseBackend(around);
  stack.use(candidate);
  const report = isolationReport({
    ...candidate,
    tier: tierOf(candidate),
    backend: candidate.kind,
    groupReason: groupReason(ground.groupReason, candidate),
    backendReason: reason || chosenReason(config),
    isRoot: process.getuid?.() === 0,
  });
  assertRequired(config.mode, report);
  const copies = new ReachableCopies(
    `${ground.slotsDir}/${sharedNames.copies}`,
    `${candidate.shownSlotsDir}/${sharedNames.copies}`,
  );
  const languages = stack.use(new LanguageViews(config.hostId));
  const owned = stack.move();
  return createSandboxes(report, candidate, { copies, languages }, () => owned.disposeAsync());
}

function createSandboxes(
  report: IsolationReport,
  { factory, uidPerSlot }: Candidate,
  { copies, languages }: { copies: ReachableCopies; languages: LanguageViews },
  dispose: () => Promise<void>,
): Sandboxes {
  // Only users other than the host's need detours; its own reads what it always read.
  const reachable = (path: string) => (uidPerSlot ? copies.of(path) : path);
  const reachableLanguage = ({ interpreter, languageDir }: SlotProgram) => {
    if (interpreter === undefined || languageDir === undefined)
      return { interpreter: interpreter && reachable(interpreter) };
    const shown = uidPerSlot ? languages.of(languageDir) : languageDir;
    return { interpreter: shown + interpreter.slice(languageDir.length), languageDir: shown };
  };
  return {
    report,
    get quarantined() {
      return factory.quarantined.length;
    },
    spawn(shape: SlotShape, program: SlotProgram): Sandbox {
      return factory.start(shape, (place) => {
        const runtimeDir = reachable(program.runtimeDir);
        const paths = factory.pathsOf(place, runtimeDir);
        const language = reachableLanguage(program);
        const { waitScript } = program;
        return { runtimeDir, ...language, arguments: program.arguments(paths), waitScript };
      });
    },
    [Symbol.asyncDispose]: dispose,
  };
}

function tierOf({ kind, group, facts }: Candidate): IsolationTier {
  if (kind === 'process') return 'none';
  if (kind === 'uid') return 'partial-uid';
  return group !== undefined && facts?.processesAreLimited === true ? 'full' : 'partial';
}

function groupReason(reason: string, { kind, group }: Candidate): string {
  if (reason !== '' || group !== undefined) return reason;
  return kind === 'process'
    ? 'plain processes are not put into groups'
    : 'a probe was not stopped at its memory limit';
}

function chosenReason({ mode, backend }: SandboxConfig): string {
  if (mode === 'off') return 'isolation is switched off';
  return backend === undefined || backend === 'auto' ? '' : `the backend is set to ${backend}`;
}

function assertRequired(mode: SandboxConfig['mode'], report: IsolationReport): void {
  const isEnough =
    mode === 'require-full'
      ? report.tier === 'full'
      : mode !== 'require-partial' || report.tier === 'full' || report.tier === 'partial';
  if (isEnough) return;
  const reasons = new Set(report.features.map((feature) => feature.reason).filter(Boolean));
  throw new Error(
    `isolation ${mode} is asked for, this machine reaches ${report.tier}: ${[...reasons].join('; ')}`,
  );
}

// The backends this machine may have, strongest first: each is set up, probed (or remembered), and taken or refused.
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { type Backend, bwrapBackend, processBackend, uidBackend } from './backend.ts';
import { type BwrapAbilities, bwrapAbilities } from './bwrap.ts';
import type { HostGroup } from './cgroup.ts';
import { type Ground, sharedNames } from './ground.ts';
import type { FilterFile } from './launch.ts';
import type { MemoryPoll } from './memory-poll.ts';
import { type ProbeFacts, probe, probeProcesses } from './probe.ts';
import { probeKey, readProbe, writeProbe } from './probe-cache.ts';
import { openSlotsView } from './reach.ts';
import type { SandboxConfig } from './sandbox.ts';
import { SlotDirs } from './slot-dirs.ts';
import { SlotFactory } from './slot-factory.ts';
import type { Tools } from './tools.ts';
import { slotUid } from './uid.ts';

export interface Surroundings {
  readonly config: SandboxConfig;
  readonly ground: Ground;
  readonly tools: Tools;
  readonly filter: FilterFile | undefined;
  readonly poll: MemoryPoll;
}

/** A backend that works here, with all that stands below it; disposal closes what it opened, sandboxes first. */
export interface Candidate extends AsyncDisposable {
  readonly kind: Backend['kind'];
  readonly factory: SlotFactory;
  readonly shownSlotsDir: string;
  readonly bwrapVersion: string;
  readonly facts: ProbeFacts | undefined;
  /** The group it uses: none where the probe saw its limits not hold. */
  readonly group: HostGroup | undefined;
  readonly note: string;
  readonly uidPerSlot: boolean;
}

export type CandidateResult =
  | { readonly kind: 'works'; readonly candidate: Candidate }
  | { readonly kind: 'refused'; readonly reason: string };

/** What the choice of backends was, and why it was not a stronger one. */
export interface Choice {
  readonly candidate: Candidate;
  readonly reason: string;
}

/** Tries the backends in order of strength; a plain process always works. */
export async function chooseBackend(around: Surroundings): Promise<Choice> {
  const reasons: string[] = [];
  for (const kind of kindsToTry(around.config)) {
    const result = await tryBackend(around, kind);
    if (result.kind === 'works') return { candidate: result.candidate, reason: reasons.join('; ') };
    reasons.push(result.reason);
  }
  throw new Error(`no way to run a process: ${reasons.join('; ')}`);
}

function kindsToTry({ mode, backend = 'auto' }: SandboxConfig): readonly Backend['kind'][] {
  if (mode === 'off' || backend === 'process') return ['process'];
  if (backend === 'uid') return ['uid', 'process'];
  return backend === 'bwrap' ? ['bwrap', 'process'] : ['bwrap', 'uid', 'process'];
}

async function tryBackend(around: Surroundings, kind: Backend['kind']): Promise<CandidateResult> {
  const refusal = missingFor(around, kind);
  if (refusal !== undefined) return { kind: 'refused', reason: refusal };
  await using stack = new AsyncDisposableStack();
  const uidPerSlot = isRoot() && kind !== 'process';
  const view = uidPerSlot ? openSlotsView(around.ground.slotsDir, around.config.hostId) : undefined;
  if (view?.kind === 'blocked') return { kind: 'refused', reason: view.reason };
  if (view !== undefined) stack.use(view.view);
  const shownSlotsDir = view?.view.path ?? around.ground.slotsDir;
  const uidOf = (index: number) => (uidPerSlot ? slotUid(around.config.hostId, index) : undefined);
  const dirs = stack.use(new SlotDirs({ slotsDir: around.ground.slotsDir, uidOf }));
  dirs.prepare();

  const factoryWith = (maxProcesses: number, abilities: BwrapAbilities, group?: HostGroup) => {
    const backend = createBackend(around, kind, { maxProcesses, abilities, shownSlotsDir });
    const { poll } = around;
    return new SlotFactory({ backend, group, dirs, poll, maxProcesses, shownSlotsDir, uidOf });
  };
  const found = await probed(around, kind, (abilities) =>
    factoryWith(probeProcesses, abilities, around.ground.group),
  );
  if (found.kind === 'refused') return found;
  const { abilities, facts } = found;
  const group = facts?.memoryIsLimited === true ? around.ground.group : undefined;
  const factory = stack.use(factoryWith(around.config.maxProcesses, abilities, group));
  const owned = stack.move();
  const candidate: Candidate = {
    kind,
    factory,
    shownSlotsDir,
    bwrapVersion: abilities.version,
    facts,
    group,
    note: view?.view.note ?? '',
    uidPerSlot,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
  return { kind: 'works', candidate };
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

function missingFor({ tools }: Surroundings, kind: Backend['kind']): string | undefined {
  if (kind === 'process') return undefined;
  if (process.platform !== 'linux') return `sandboxes need Linux, this is ${process.platform}`;
  if (isRoot() && tools.setpriv === undefined) return 'setpriv is missing; install util-linux';
  if (kind === 'bwrap' && tools.bwrap === undefined) {
    return 'bwrap is missing; install the package bubblewrap';
  }
  if (kind === 'uid' && !isRoot()) return 'only root can run slots as users of their own';
  return undefined;
}

interface BackendChoice {
  readonly maxProcesses: number;
  readonly abilities: BwrapAbilities;
  readonly shownSlotsDir: string;
}

function createBackend(
  { tools, filter }: Surroundings,
  kind: Backend['kind'],
  { maxProcesses, abilities, shownSlotsDir }: BackendChoice,
): Backend {
  if (kind === 'process') return processBackend({ tools, maxProcesses });
  if (kind === 'uid') return uidBackend({ tools, maxProcesses });
  if (tools.bwrap === undefined) throw new Error('bwrap was looked for before');
  const passwdFile = `${shownSlotsDir}/${sharedNames.passwd}`;
  return bwrapBackend({ tools, maxProcesses, abilities, filter, passwdFile, bwrap: tools.bwrap });
}

type Probed =
  | { readonly kind: 'fit'; readonly abilities: BwrapAbilities; readonly facts?: ProbeFacts }
  | { readonly kind: 'refused'; readonly reason: string };

/** From the cache, or by trying. A plain process promises nothing, so nothing is tried. */
async function probed(
  around: Surroundings,
  kind: Backend['kind'],
  factoryFor: (abilities: BwrapAbilities) => SlotFactory,
): Promise<Probed> {
  if (kind === 'process') return { kind: 'fit', abilities: bwrapAbilities('') };
  const { config, ground, tools } = around;
  const bwrap = kind === 'bwrap' ? tools.bwrap : undefined;
  const cacheDir = config.cacheDir ?? path.dirname(ground.slotsDir);
  const file = `${cacheDir}/isolation-probe.json`;
  const hasFilter = around.filter !== undefined;
  const key = probeKey(bwrap, [kind, ground.slotsDir, ground.group?.method, hasFilter, tools]);
  const kept = readProbe(file, key);
  if (kept !== undefined) {
    return { kind: 'fit', abilities: bwrapAbilities(kept.bwrapVersion), facts: kept.facts };
  }
  const abilities = bwrapAbilities(bwrap === undefined ? '' : await versionOf(bwrap));
  await using factory = factoryFor(abilities);
  const facts = await probe(factory, ground.canary, ground.group !== undefined);
  const reason = whyUnfit(kind, facts);
  if (reason !== undefined) return { kind: 'refused', reason };
  // What failed is not kept: it may be mended at any time.
  writeProbe(file, key, { bwrapVersion: abilities.version, facts });
  return { kind: 'fit', abilities, facts };
}

async function versionOf(bwrap: string): Promise<string> {
  const { stdout } = await promisify(execFile)(bwrap, ['--version'], { env: {} });
  return stdout;
}

/** Undefined when the sandbox came up and holds what its tier is about. */
function whyUnfit(kind: Backend['kind'], facts: ProbeFacts): string | undefined {
  const name = kind === 'bwrap' ? 'bwrap' : 'a user per slot';
  if (!facts.hasStarted) {
    const said = facts.failure === '' ? 'nothing' : facts.failure.slice(0, 300);
    return [`${name} does not start (it said: ${said})`, ...userNamespaceHints()].join('; ');
  }
  if (facts.readsHostFiles) return `${name} does not keep functions from the host's files`;
  if (facts.hasCapabilities) return `${name} leaves capabilities to functions`;
  if (!facts.noNewPrivileges) return `${name} lets functions regain privileges`;
  return undefined;
}

/** Settings known to keep user namespaces from the host's user, each with its cure. */
function userNamespaceHints(): readonly string[] {
  const orRoot = isRoot() ? '' : ', or run the host as root';
  const setting = (name: string) => {
    const file = `/proc/sys/${name}`;
    return existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined;
  };
  const hints: string[] = [];
  if (setting('kernel/apparmor_restrict_unprivileged_userns') === '1') {
    hints.push(
      `AppArmor restricts user namespaces: add a profile that allows \`userns\` for the path of bwrap${orRoot}`,
    );
  }
  if (setting('kernel/unprivileged_userns_clone') === '0') {
    hints.push(`set kernel.unprivileged_userns_clone=1${orRoot}`);
  }
  if (setting('user/max_user_namespaces') === '0') {
    hints.push('set user.max_user_namespaces above 0');
  }
  if (hints.length === 0) {
    hints.push('inside a container, its seccomp profile must allow user namespaces and mounts');
  }
  return hints;
}

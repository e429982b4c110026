// The parts of a host that read the disk, or try what this machine can do, before they are of use.
import { randomBytes } from 'node:crypto';
import { homedir } from 'node:os';
import path from 'node:path';
import type { Clock } from '../runtime/clock.ts';
import {
  bundleNodeBootstraps,
  pythonBootstrap,
  waitingShell,
} from '../runtime/runtimes/bootstraps.ts';
import { findNodes } from '../runtime/runtimes/node/find.ts';
import { findPythons } from '../runtime/runtimes/python/probe.ts';
import { openSandboxes } from '../runtime/sandbox/open.ts';
import { openCredentials } from './auth/credentials.ts';
import { openHostKey } from './auth/host-key.ts';
import { openCapacityProviders } from './capacity/capacity-providers.ts';
import { openCodePackages } from './code/packages.ts';
import { CodeSigningConfigs } from './code-signing/code-signing-configs.ts';
import type { HostConfig } from './config.ts';
import { Functions } from './functions/functions.ts';
import { Identities } from './iam/identities.ts';
import { Layers } from './layers/layers.ts';
import { openLogs } from './logs/logs.ts';
import { openStore } from './store/sqlite.ts';

/** Below the data directory: interpreters that were installed for functions. */
export const INSTALLED = 'runtimes';

export interface OpenOptions {
  readonly config: HostConfig;
  readonly clock: Clock;
  /** One sentence for the operator. */
  readonly report: (text: string, cause?: unknown) => void;
}

/** Opens all of them; what must be disposed of is on the stack then, even when another one fails. */
export async function openParts(stack: AsyncDisposableStack, options: OpenOptions) {
  const { config, clock, report } = options;
  const now = () => clock.epochMs();
  const store = stack.use(await openStore({ dataDir: config.dataDir, now }));
  const { folders, hostId } = store.directory;
  const opened = await openTogether(stack, {
    sandboxes: openSandboxes({
      slotsDir: folders.slots,
      mode: config.isolation.mode,
      backend: config.isolation.backend,
      cgroupRoot: config.isolation.cgroupRoot,
      maxProcesses: config.limits.pids,
      hostId,
    }),
    bootstraps: bundleNodeBootstraps(path.join(folders.code, 'runtime')),
    nodes: findNodes({
      installDir: path.join(store.directory.path, INSTALLED),
      searchPath: config.python.searchPath,
      home: homedir(),
    }),
    pythonBootstrap: pythonBootstrap(),
    waiting: waitingShell(),
    pythons: findPythons(
      { ...config.python, home: homedir() },
      path.join(store.directory.path, 'pythons.json'),
    ),
    logs: openLogs({
      dir: folders.logs,
      clock,
      maxBytesPerGroup: config.logs.maxBytesPerGroup,
      onProblem: report,
    }),
    credentials: openCredentials({
      secretsDir: folders.secrets,
      accountId: config.accountId,
      now,
      random: randomBytes,
      admin: config.admin,
      bearerToken: config.token,
      onProblem: report,
    }),
    hostKey: openHostKey({ secretsDir: folders.secrets, random: randomBytes }),
    packages: openCodePackages({
      blobs: store.blobs,
      codeDir: folders.code,
      slotsDir: folders.slots,
      clock,
      onFault: (error) => report('a package could not be kept in order', error),
      onRefused: (reason) => report(`a deployment package was refused: ${reason}`),
    }),
    functions: Functions.open(store.registry),
    layers: Layers.open(store.registry),
    codeSigning: CodeSigningConfigs.open(store.registry),
    identities: Identities.open({ registry: store.registry, now, random: randomBytes }),
    capacityProviders: openCapacityProviders(store.registry),
  });
  return { store, ...opened };
}

export type OpenedParts = Awaited<ReturnType<typeof openParts>>;

type Opened<Parts> = { -readonly [Name in keyof Parts]: Awaited<Parts[Name]> };

/** Opens parts that do not need each other at the same time; when one fails, those that opened are disposed of. */
async function openTogether<Parts extends Readonly<Record<string, Promise<unknown>>>>(
  stack: AsyncDisposableStack,
  opening: Parts,
): Promise<Opened<Parts>> {
  const results = await Promise.allSettled(Object.values(opening));
  for (const result of results) {
    if (result.status === 'fulfilled' && isDisposable(result.value)) stack.use(result.value);
  }
  const failure = results.find((result) => result.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
  const names = Object.keys(opening);
  const values = results.map((result) => (result as PromiseFulfilledResult<unknown>).value); // as: none has failed
  // as: each name with what its promise gave, in the order of both
  return Object.fromEntries(names.map((name, at) => [name, values[at]])) as Opened<Parts>;
}

function isDisposable(value: unknown): value is AsyncDisposable {
  return typeof value === 'object' && value !== null && Symbol.asyncDispose in value;
}

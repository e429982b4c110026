// A host of its own for hostile functions, in a tier of choice: a neighbour is served and health is asked for all the time, and in
// the end nothing may be left.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DeleteFunctionCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import type { IsolationReport, IsolationTier } from '../../runtime/sandbox/sandbox.ts';
import { type HostProcess, startHostProcess } from '../support/host-process.ts';
import { commandLines } from '../support/machine.ts';
import { ownRoute, readLog } from '../support/read-log.ts';
import { createClient, deploy, type InvokeAnswer, invoke } from '../support/test-host.ts';
import { tracesOf } from '../support/traces.ts';
import { waitFor } from '../support/wait-for.ts';
import { type CaseRun, filesOf, type HostileCase } from './case.ts';
import { CANARY } from './cases/files.ts';
import { MAX_PROCESSES } from './cases/processes.ts';
import { type Holdings, holdingsOf, leakedDescriptors, surplusOf } from './remains.ts';
import { type Look, NEIGHBOUR, NEIGHBOUR_FILES, since, Watch } from './watch.ts';

/** Settings that hold a host to a tier; the strongest one is what it reaches by itself. */
const FORCED: Readonly<Record<IsolationTier, Readonly<Record<string, string>>>> = {
  full: {},
  partial: { LAMBKIN_ISOLATION_CGROUP_ROOT: 'none' },
  'partial-uid': { LAMBKIN_ISOLATION_BACKEND: 'uid' },
  none: { LAMBKIN_ISOLATION_BACKEND: 'process' },
};

/** Nobody on the machine asks for a sleep around this long but the cases, each for its own. */
const FIRST_SLEEP_SECONDS = 8_000_000;

/** Descriptors that come and go with what a host does at the moment. */
const MOST_LEAKED = 5;

type Tail<T extends readonly unknown[]> = T extends readonly [unknown, ...infer Rest]
  ? Rest
  : never;

/** What one case did to its surroundings. */
export interface Impact {
  readonly tookMs: number;
  readonly neighbour: readonly Look[];
  readonly health: readonly Look[];
}

export class Arena implements AsyncDisposable {
  readonly tier: IsolationTier;
  /** How long the neighbour's answers take without anything beside, in ms. */
  readonly baseline: readonly number[];
  readonly #host: HostProcess;
  readonly #client: LambdaClient;
  readonly #dataDir: string;
  readonly #watch: Watch;
  readonly #atRest: Holdings;
  #cases = 0;
  #hasEnded = false;

  private constructor(
    parts: Pick<Arena, 'tier' | 'baseline'> & {
      host: HostProcess;
      client: LambdaClient;
      dataDir: string;
      watch: Watch;
      atRest: Holdings;
    },
  ) {
    this.tier = parts.tier;
    this.baseline = parts.baseline;
    this.#host = parts.host;
    this.#client = parts.client;
    this.#dataDir = parts.dataDir;
    this.#watch = parts.watch;
    this.#atRest = parts.atRest;
  }

  /** `full` means the strongest tier of this machine; any other that is not reached rejects. */
  static async open(wanted: IsolationTier): Promise<Arena> {
    const dataDir = await mkdtemp(path.join(tmpdir(), 'lambkin-test-'));
    await using stack = new AsyncDisposableStack();
    stack.defer(() => rm(dataDir, { recursive: true, force: true }));
    const host = stack.use(
      await startHostProcess(dataDir, {
        env: { ...FORCED[wanted], LAMBKIN_LIMITS_PIDS: String(MAX_PROCESSES), HOST_CANARY: CANARY },
      }),
    );
    const client = stack.adopt(createClient(host.url), (each) => each.destroy());
    const response = await ownRoute({ url: host.url, dataDir }, '/_lambkin/isolation');
    const { tier } = (await response.json()) as IsolationReport; // our own route
    assert.ok(wanted === 'full' || tier === wanted, `the host reaches ${tier}, not ${wanted}`);
    await deploy(client, NEIGHBOUR, NEIGHBOUR_FILES);
    const { watch, baseline } = await Watch.begin(client, host.url);
    stack.use(watch);
    const atRest = await inOrder(() => holdingsOf(host.url, host.pid, dataDir));
    stack.move();
    return new Arena({ tier, baseline, host, client, dataDir, watch, atRest });
  }

  get isRunning(): boolean {
    return !this.#hasEnded && this.#host.isRunning;
  }

  /** What it has told its operator. */
  get hostPrinted(): string {
    return this.#host.printed;
  }

  get hostPid(): number {
    return this.#host.pid;
  }

  /** What was wrong at any look at the neighbour or at health. */
  get faults(): readonly string[] {
    return [...this.#watch.neighbour, ...this.#watch.health].flatMap(({ fault }) => fault ?? []);
  }

  async deploy(...[name, files, settings]: Tail<Parameters<typeof deploy>>): Promise<void> {
    await deploy(this.#client, name, files, settings);
  }

  async invoke(name: string, event: object): Promise<InvokeAnswer> {
    return await invoke(this.#client, name, event);
  }

  async remove(names: readonly string[]): Promise<void> {
    for (const FunctionName of names)
      await this.#client.send(new DeleteFunctionCommand({ FunctionName }));
  }

  /** Deploys and attacks; rejects when anything but what the case expects comes of it. Several may run at a time. */
  async run(hostile: HostileCase): Promise<Impact> {
    const name = `case-${(this.#cases += 1)}`;
    const sleepSeconds = FIRST_SLEEP_SECONDS + this.#cases;
    const client = this.#client;
    await deploy(client, name, filesOf(hostile), hostile.settings);
    const beganAtMs = performance.now();
    const run: CaseRun = {
      tier: this.tier,
      dataDir: this.#dataDir,
      sleepSeconds,
      attack: (event = {}) => invoke(client, name, { ...event, attacks: true, sleepSeconds }),
      behave: () => invoke(client, name),
      log: () => this.#logOf(name),
    };
    await hostile.check(run);
    const tookMs = performance.now() - beganAtMs;
    if (hostile.isBroken !== true) assert.equal((await run.behave()).text, '"ok"', 'the next one');
    await this.#assertWhole(name, hostile);
    await this.#removeCase(name, sleepSeconds);
    assert.ok(this.isRunning, 'the host is the same as before');
    const { neighbour, health } = this.#watch;
    return { tookMs, neighbour: since(neighbour, beganAtMs), health: since(health, beganAtMs) };
  }

  /** START, END and REPORT of each invocation once, in this order. */
  async #assertWhole(name: string, { leavesUnread }: HostileCase): Promise<void> {
    const seen = new Map<string, string>();
    for (const line of await this.#logOf(name)) {
      const [, kind = '', id = ''] = /^(START|END|REPORT) RequestId: (\S+)/.exec(line) ?? [];
      if (id !== '') seen.set(id, `${seen.get(id) ?? ''}${kind} `);
    }
    const whole = leavesUnread === true ? /^(START END REPORT ){1,2}$/ : /^START END REPORT $/;
    for (const [id, kinds] of seen) assert.match(kinds, whole, `the log of ${id}`);
  }

  #logOf(name: string): Promise<readonly string[]> {
    const place = { url: this.#host.url, dataDir: this.#dataDir };
    return readLog(place, `/aws/lambda/${name}`);
  }

  /** The function goes, and none of its processes stays. */
  async #removeCase(name: string, sleepSeconds: number): Promise<void> {
    await this.remove([name]);
    await waitFor('its processes are gone', () =>
      commandLines().every((line) => !line.includes(`sleep ${sleepSeconds}`)),
    );
  }

  /** When no case runs: nothing is there that the host does not know of. */
  async assertNothingLeft(): Promise<void> {
    const look = () => holdingsOf(this.#host.url, this.#host.pid, this.#dataDir);
    await inOrder(look, (after) => {
      const leaked = leakedDescriptors(this.#atRest, after);
      if (leaked < MOST_LEAKED) return [];
      return [`${leaked} descriptors more: ${JSON.stringify([this.#atRest, after])}`];
    });
  }

  /** SIGTERM; nothing of the host may be left on the machine. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    await this.#watch[Symbol.asyncDispose]();
    this.#client.destroy();
    this.#host.signal('SIGTERM');
    const ended = await this.#host.ended;
    const left = tracesOf(this.#dataDir);
    await rm(this.#dataDir, { recursive: true, force: true });
    assert.equal(ended, 0, this.#host.printed);
    assert.deepEqual(left, []);
  }
}

async function inOrder(
  look: () => Promise<Holdings>,
  more: (holdings: Holdings) => readonly string[] = () => [],
): Promise<Holdings> {
  let last = await look();
  let surplus: readonly string[] = [];
  try {
    await waitFor('the host holds what it knows of', async () => {
      last = await look();
      surplus = [...surplusOf(last), ...more(last)];
      return surplus.length === 0;
    });
  } catch (cause) {
    throw new Error(surplus.join(', '), { cause });
  }
  return last;
}

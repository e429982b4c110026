// What a hostile case is: a function, what is done with it, and what must come of it. Tables of them stand in cases/.
import assert from 'node:assert/strict';
import type { CreateFunctionCommandInput } from '@aws-sdk/client-lambda';
import type { IsolationTier } from '../../runtime/sandbox/sandbox.ts';
import type { FailureBody } from '../support/function-answers.ts';
import type { InvokeAnswer } from '../support/test-host.ts';

/** Weaker ones are behind. */
export const TIERS = [
  'full',
  'partial',
  'partial-uid',
  'none',
] as const satisfies readonly IsolationTier[];

/** One deployed case under attack. */
export interface CaseRun {
  readonly tier: IsolationTier;
  readonly dataDir: string;
  /** In seconds: a sleep that no other process asks for, so that this one's can be told from others'. */
  readonly sleepSeconds: number;
  /** The attack, told its own sleep and whatever else is in the event. */
  attack(event?: object): Promise<InvokeAnswer>;
  /** All of its log up to now. */
  log(): Promise<readonly string[]>;
  /** The same function, meaning well: it returns `ok`. */
  behave(): Promise<InvokeAnswer>;
}

export interface HostileCase {
  /** Row of the suite's table; several forms of one attack share it. */
  readonly number: number;
  /** Unique. */
  readonly what: string;
  /** Body of an async function of `event` and `context`; what {@link PRELUDE} declares is there. */
  readonly attack: string;
  /** In front of the handler, where it runs during init. */
  readonly init?: string;
  /** The package instead of what is made of `attack` and `init`. */
  readonly files?: Readonly<Record<string, string>>;
  readonly settings?: Partial<CreateFunctionCommandInput>;
  /** Rejects when something else comes of it. */
  readonly check: (run: CaseRun) => Promise<void>;
  /** No invocation of it can succeed. */
  readonly isBroken?: boolean;
  /** Its environment may end with an event unread, which another one runs then: the log has that event twice. */
  readonly leavesUnread?: boolean;
  /** A test that proves it in the best tier: the suite itself does not run it again, the bench does. */
  readonly provenBy?: string;
  /** One of those that the suite tries in every tier. */
  readonly everyTier?: boolean;
  /** Where it does not hold: what happens instead. It is not tried there. */
  readonly instead?: Readonly<Partial<Record<IsolationTier, string>>>;
}

export const PRELUDE = `import { execSync, spawn, spawnSync } from 'node:child_process';
import { pbkdf2Sync } from 'node:crypto';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
const MIB = 2 ** 20;
const kept = [];
const forever = () => new Promise(() => setInterval(() => {}, 1000));
const attempt = (f) => { try { return f() ?? true; } catch (error) { return error.code ?? String(error); } };
`;

/** What a case is deployed as. */
export function filesOf({
  attack,
  init = '',
  files,
}: HostileCase): Readonly<Record<string, string>> {
  if (files !== undefined) return files;
  const handler = `export const handler = async (event, context) => {
  if (event.attacks !== true) return 'ok';
  ${attack}
};`;
  return { 'index.mjs': `${PRELUDE}${init}\n${handler}\n` };
}

/** The deadline ends it. */
export async function timesOut(run: CaseRun): Promise<void> {
  const { errorMessage, log } = await fails('Sandbox.Timedout')(run);
  const [, id, seconds] =
    /^RequestId: (\S+) Error: Task timed out after (\d+)\.00 seconds$/.exec(errorMessage) ?? [];
  assert.ok(id !== undefined, errorMessage);
  const memory = '\tMemory Size: \\d+ MB\tMax Memory Used: \\d+ MB\t(Init Duration: [\\d.]+ ms\t)?';
  assert.match(
    log,
    new RegExp(
      `END RequestId: ${id}\nREPORT RequestId: ${id}\tDuration: ${seconds}000\\.00 ms\tBilled Duration: \\d+ ms${memory}Status: timeout\n$`,
    ),
  );
}

export async function runsOutOfMemory(run: CaseRun): Promise<void> {
  const { errorMessage, log } = await fails('Runtime.OutOfMemory')(run);
  assert.match(errorMessage, / Error: Runtime exited with error: signal: killed$/);
  assert.match(log, /\tStatus: error\tError Type: Runtime\.OutOfMemory\n$/);
}

/** Its process ends; `text` is all behind `Error: `. */
export function exits(text: string) {
  return async (run: CaseRun): Promise<void> => {
    const { errorMessage } = await fails('Runtime.ExitError')(run);
    assert.equal(errorMessage.replace(/^RequestId: \S+ Error: /, ''), text);
  };
}

/** It answers like any function; `check` gets what it returned. */
export function returns(check: (payload: unknown, run: CaseRun) => void) {
  return async (run: CaseRun): Promise<void> => {
    const { functionError, payload, text } = await run.attack();
    assert.equal(functionError, undefined, text);
    check(payload, run);
  };
}

export function fails(errorType: string, event?: object) {
  return async (run: CaseRun) => {
    const answer = await run.attack(event);
    assert.equal(answer.functionError, 'Unhandled', answer.text.slice(0, 500));
    const body = answer.payload as FailureBody; // the form of every error
    assert.equal(body.errorType, errorType, answer.text.slice(0, 500));
    return { errorMessage: body.errorMessage, log: answer.log };
  };
}

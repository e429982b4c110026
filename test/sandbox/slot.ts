// What the sandbox tests run inside a slot: a program that evaluates code sent over descriptor 3, and the host's side of it.
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { closeInheritedDescriptors } from '../../runtime/sandbox/descriptors.ts';
import { openSandboxes } from '../../runtime/sandbox/open.ts';
import type {
  IsolationTier,
  Sandbox,
  SandboxConfig,
  Sandboxes,
  SlotProgram,
  SlotShape,
} from '../../runtime/sandbox/sandbox.ts';
import { v8Flags } from '../../runtime/sandbox/v8-flags.ts';

// As the host does first of all: bwrap would hand on what the test runner's parent left open.
closeInheritedDescriptors();

/** Blocks in read(2) between pieces of code, as a bootstrap does. */
const programText = `
import fs from 'node:fs';
import os from 'node:os';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
const attempt = (f) => { try { return f(); } catch (error) { return error.code ?? error.message; } };
const tools = { fs, os, spawn, spawnSync, execFileSync, attempt };
const nap = new Int32Array(new SharedArrayBuffer(4));
const writeAll = (fd, chunk) => {
  for (let done = 0; done < chunk.length;) try { done += fs.writeSync(fd, chunk, done); }
    catch (error) { if (error.code !== 'EAGAIN') throw error; Atomics.wait(nap, 0, 0, 1); }
};
for (const [stream, fd] of [[process.stdout, 1], [process.stderr, 2]])
  stream._write = (chunk, encoding, done) => { writeAll(fd, Buffer.from(chunk, encoding)); done(); };
const AsyncFunction = (async () => {}).constructor;
let text = '';
const piece = Buffer.alloc(65536);
const say = (message) => fs.writeSync(3, JSON.stringify(message) + '\\n');
say('up');
for (;;) {
  while (!text.includes('\\n')) {
    const read = fs.readSync(3, piece);
    if (read === 0) process.exit(0);
    text += piece.toString('utf8', 0, read);
  }
  const end = text.indexOf('\\n');
  const code = JSON.parse(text.slice(0, end));
  text = text.slice(end + 1);
  let answer;
  try { answer = { value: await new AsyncFunction(...Object.keys(tools), code)(...Object.values(tools)) }; }
  catch (error) { answer = { error: String(error.stack) }; }
  say(answer);
}
`;

export const defaultShape: SlotShape = {
  runtime: 'nodejs24.x',
  memoryMib: 256,
  ephemeralStorageMib: 64,
};

/** One sandbox with the program above in it. */
export class TestSlot implements AsyncDisposable {
  readonly sandbox: Sandbox;
  output = '';
  #buffered = '';
  #waiting: ((line: string | undefined) => void) | undefined;

  constructor(sandbox: Sandbox) {
    this.sandbox = sandbox;
    sandbox.output.setEncoding('utf8').on('data', (part: string) => {
      this.output += part;
    });
    sandbox.control.setEncoding('utf8').on('data', (part: string) => {
      this.#buffered += part;
      this.#settle();
    });
    sandbox.control.once('close', () => {
      this.#waiting?.(undefined);
    });
  }

  /** Fails with what the slot printed when it does not come up. */
  async up(): Promise<this> {
    assert.equal(await this.#line(), '"up"', `the slot did not come up: ${this.output}`);
    return this;
  }

  /** The value of a function body run inside, or undefined when the slot ended over it. */
  async run(code: string): Promise<unknown> {
    this.sandbox.control.write(`${JSON.stringify(code)}\n`);
    const line = await this.#line();
    if (line === undefined) return undefined;
    const answer: unknown = JSON.parse(line);
    assert.ok(typeof answer === 'object' && answer !== null);
    assert.ok(!('error' in answer), 'error' in answer ? String(answer.error) : '');
    return 'value' in answer ? answer.value : undefined;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.sandbox[Symbol.asyncDispose]();
  }

  #line(): Promise<string | undefined> {
    return new Promise((resolve) => {
      this.#waiting = resolve;
      this.#settle();
    });
  }

  #settle(): void {
    const end = this.#buffered.indexOf('\n');
    if (this.#waiting === undefined) return;
    if (end < 0 && !this.sandbox.control.destroyed) return;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (end < 0) return waiting(undefined);
    const line = this.#buffered.slice(0, end);
    this.#buffered = this.#buffered.slice(end + 1);
    waiting(line);
  }
}

/** A host's sandboxes in a directory of their own, both gone after the test. */
export interface TestHost extends AsyncDisposable {
  readonly sandboxes: Sandboxes;
  readonly dir: string;
  readonly config: SandboxConfig;
  readonly program: SlotProgram;
  start(shape?: Partial<SlotShape>): Promise<TestSlot>;
}

export function testProgram(dir: string): SlotProgram {
  const runtimeDir = path.join(dir, 'program');
  mkdirSync(runtimeDir, { recursive: true });
  writeFileSync(path.join(runtimeDir, 'index.mjs'), programText);
  return {
    runtimeDir,
    interpreter: process.execPath,
    arguments: (paths) => [`${paths.runtimeDir}/index.mjs`],
  };
}

export function temporaryDirectory(): string {
  const dir = mkdtempSync(path.join(tmpdir(), 'lambkin-sandbox-'));
  // Slots' users walk through it; a test that wants it closed closes it.
  chmodSync(dir, 0o711);
  return dir;
}

export async function openTestHost(options: Partial<SandboxConfig> = {}): Promise<TestHost> {
  const dir = temporaryDirectory();
  const config: SandboxConfig = {
    slotsDir: path.join(dir, 'slots'),
    mode: 'auto',
    maxProcesses: 64,
    hostId: path.basename(dir),
    ...options,
  };
  const program = testProgram(dir);
  const removed = () => rm(dir, { recursive: true, force: true });
  const sandboxes = await openSandboxes(config).catch(async (error: unknown) => {
    await removed();
    throw error;
  });
  return {
    sandboxes,
    dir,
    config,
    program,
    start(shape = {}) {
      const whole = { ...defaultShape, ...shape };
      const flags = v8Flags(whole.memoryMib);
      const slot = sandboxes.spawn(whole, {
        ...program,
        arguments: (paths) => [...flags, ...program.arguments(paths)],
      });
      return new TestSlot(slot).up();
    },
    async [Symbol.asyncDispose]() {
      await sandboxes[Symbol.asyncDispose]();
      await removed();
    },
  };
}

/** The options that ask for a tier, whatever more the machine could do. */
export const tierOptions = {
  full: {},
  partial: { cgroupRoot: 'none' },
  'partial-uid': { backend: 'uid' },
  none: { backend: 'process' },
} as const satisfies Record<IsolationTier, Partial<SandboxConfig>>;

const reached = new Map<IsolationTier, Promise<string | false>>();

/** For a test's `skip`: false when this machine reaches the tier, else the reasons why not. */
export function unlessTier(tier: IsolationTier): Promise<string | false> {
  const known = reached.get(tier) ?? lookAtTier(tier);
  reached.set(tier, known);
  return known;
}

async function lookAtTier(tier: IsolationTier): Promise<string | false> {
  await using host = await openTestHost(tierOptions[tier]);
  const { report } = host.sandboxes;
  if (report.tier === tier) return false;
  const reasons = new Set(report.features.map((feature) => feature.reason).filter(Boolean));
  return `this machine reaches ${report.tier} instead of ${tier}: ${[...reasons].join('; ')}`;
}

/** Waits until something holds; fails after `withinMs`. */
export async function waitFor(what: string, holds: () => boolean, withinMs = 5_000): Promise<void> {
  const giveUpAt = performance.now() + withinMs;
  while (!holds()) {
    assert.ok(performance.now() < giveUpAt, `waited ${withinMs} ms for: ${what}`);
    await sleep(2);
  }
}

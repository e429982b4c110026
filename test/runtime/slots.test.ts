// The stock of generic slots: filled ahead, one at a time, given out once, thrown away for shapes that nobody uses.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createConnection, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { after, before, suite, test } from 'node:test';
import { systemClock } from '../../runtime/clock.ts';
import type { Sandbox, SandboxExit, Sandboxes, SlotShape } from '../../runtime/sandbox/sandbox.ts';
import { Slots } from '../../runtime/slots/slots.ts';
import { waitFor } from '../support/wait-for.ts';

type Behaviour = 'boots' | 'dies' | 'cannotSpawn';

/** Sandboxes without processes: real sockets, and an end that the test decides. */
class PaperSandboxes implements Sandboxes {
  readonly report = { tier: 'none', features: [] } as const;
  readonly quarantined = 0;
  readonly alive = new Set<PaperSandbox>();
  behaviour: Behaviour = 'boots';
  spawned = 0;
  readonly #connect: () => { ours: Socket; theirs: Promise<Socket> };

  constructor(connect: () => { ours: Socket; theirs: Promise<Socket> }) {
    this.#connect = connect;
  }

  spawn(): Sandbox {
    this.spawned += 1;
    if (this.behaviour === 'cannotSpawn') throw new Error('no process left');
    const sandbox = new PaperSandbox(String(this.spawned), this.#connect(), () =>
      this.alive.delete(sandbox),
    );
    this.alive.add(sandbox);
    if (this.behaviour === 'dies') sandbox.end({ kind: 'exited', code: 1 });
    else void sandbox.sayUp();
    return sandbox;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const sandbox of this.alive) await sandbox[Symbol.asyncDispose]();
  }
}

class PaperSandbox implements Sandbox {
  readonly id: string;
  readonly paths = {
    taskRoot: '/t',
    runtimeDir: '/r',
    optDir: '/o',
    tmpDir: '/tmp',
    withdrawnFile: '/w',
  };
  readonly taskDir = '/nowhere';
  readonly optDir = '/nowhere/opt';
  readonly withdrawnFile = '/nowhere/else';
  readonly lateProgram = undefined;
  readonly control: Socket;
  readonly output = new PassThrough();
  readonly exit: Promise<SandboxExit>;
  readonly peakKib = 0;
  readonly #theirs: Promise<Socket>;
  readonly #onGone: () => void;
  readonly end: (exit: SandboxExit) => void;

  constructor(id: string, pair: { ours: Socket; theirs: Promise<Socket> }, onGone: () => void) {
    this.id = id;
    this.control = pair.ours;
    this.#theirs = pair.theirs;
    this.#onGone = onGone;
    const { promise, resolve } = Promise.withResolvers<SandboxExit>();
    this.exit = promise;
    this.end = resolve;
  }

  async sayUp(): Promise<void> {
    (await this.#theirs).write(Buffer.from([5, 0, 0, 0, 0x55, 1, 0, 0, 0]));
  }

  watchMemory(): void {}
  exceedsMemory(): boolean {
    return false;
  }
  isAlone(): boolean {
    return true;
  }

  residentKib(): number {
    return 0;
  }
  async isPeer(): Promise<boolean> {
    return false;
  }
  terminate(): void {}
  freeze(): void {}
  thaw(): void {}
  kill(): void {
    this.end({ kind: 'signalled', signal: 'killed' });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill();
    this.control.destroy();
    (await this.#theirs).destroy();
    this.#onGone();
  }
}

const shape = (memoryMib: number): SlotShape => ({
  runtime: 'nodejs24.x',
  memoryMib,
  ephemeralStorageMib: 512,
});

suite('generic slots', () => {
  let dir: string;
  let connect: () => { ours: Socket; theirs: Promise<Socket> };
  let close: () => Promise<void>;

  before(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'lambkin-slots-'));
    const address = path.join(dir, 'socket');
    const server = createServer();
    const waiting: ((socket: Socket) => void)[] = [];
    server.on('connection', (socket) => {
      socket.on('error', () => {});
      waiting.shift()?.(socket);
    });
    server.listen(address);
    await once(server, 'listening');
    connect = () => {
      const { promise, resolve } = Promise.withResolvers<Socket>();
      waiting.push(resolve);
      return { ours: createConnection(address), theirs: promise };
    };
    close = async () => {
      server.close();
      await once(server, 'close');
    };
  });
  after(async () => {
    await close();
    await rm(dir, { recursive: true });
  });

  function open(perShape: number) {
    const sandboxes = new PaperSandboxes(connect);
    const problems: string[] = [];
    const slots = new Slots({
      sandboxes,
      clock: systemClock,
      programFor: () => ({ runtimeDir: '/r', interpreter: '/i', arguments: () => [] }),
      perShape,
      newId: () => '',
      onProblem: (text, cause) => problems.push(`${text}: ${String(cause)}`),
    });
    return {
      sandboxes,
      slots,
      problems,
      [Symbol.asyncDispose]: () => slots[Symbol.asyncDispose](),
    };
  }

  test('are made ahead for a shape that was asked for, and made again when taken', async () => {
    await using place = open(2);
    const { slots, sandboxes } = place;
    slots.prepare(shape(128));
    await waitFor('two are ready', () => slots.ready === 2);
    const slot = slots.take(shape(128));
    await slot.booted;
    assert.equal(sandboxes.spawned, 2, 'it was a ready one');
    await waitFor('there are two again', () => slots.ready === 2);
    assert.equal(sandboxes.spawned, 3);
    await slot[Symbol.asyncDispose]();
  });

  test('are spawned at once for a shape that nobody has prepared', async () => {
    await using place = open(1);
    const slot = place.slots.take(shape(256));
    await slot.booted;
    assert.equal(slot.shape.memoryMib, 256);
    await slot[Symbol.asyncDispose]();
  });

  test('of the least recently used shape end when there are more than eight', async () => {
    await using place = open(1);
    const { slots, sandboxes } = place;
    for (let i = 0; i < 8; i += 1) slots.prepare(shape(128 + i));
    await waitFor('eight are ready', () => slots.ready === 8);
    slots.prepare(shape(128)); // used again: the second one is the oldest now
    slots.prepare(shape(512));
    await waitFor('one has made way', () => slots.ready === 8 && sandboxes.alive.size === 8);
    const spawned = sandboxes.spawned;
    await slots.take(shape(128))[Symbol.asyncDispose]();
    assert.equal(sandboxes.spawned, spawned, 'still there');
    await slots.take(shape(129))[Symbol.asyncDispose]();
    assert.ok(sandboxes.spawned > spawned, 'gone');
  });

  test('that die while they wait are replaced', async () => {
    await using place = open(1);
    const { slots, sandboxes } = place;
    slots.prepare(shape(128));
    await waitFor('one is ready', () => slots.ready === 1);
    // `ready` counts it from its spawn on; it is up when it has been booted.
    await waitFor('another one has been made', () => {
      for (const sandbox of sandboxes.alive) sandbox.kill();
      return sandboxes.spawned >= 2;
    });
    await waitFor('and is ready', () => slots.ready === 1);
  });

  for (const behaviour of ['dies', 'cannotSpawn'] as const)
    test(`are tried again, but not at once, where one ${behaviour}`, async () => {
      await using place = open(1);
      const { slots, sandboxes, problems } = place;
      sandboxes.behaviour = behaviour;
      slots.prepare(shape(128));
      await waitFor('it is reported', () => problems.length === 1);
      assert.equal(slots.ready, 0);
      assert.equal(sandboxes.spawned, 1);
      sandboxes.behaviour = 'boots';
      const begin = performance.now();
      await waitFor('it works again', () => slots.ready === 1);
      assert.ok(performance.now() - begin > 500, 'not at once');
      assert.equal(problems.length, 1);
    });

  test('are tried again for each shape, whichever failed last', async () => {
    await using place = open(1);
    const { slots, sandboxes, problems } = place;
    sandboxes.behaviour = 'cannotSpawn';
    slots.prepare(shape(128));
    await waitFor('it has failed twice and waits longer', () => problems.length === 2);
    slots.prepare(shape(256));
    await waitFor('the other one has failed once', () => problems.length === 3);
    sandboxes.behaviour = 'boots';
    await waitFor('both work', () => slots.ready === 2);
  });

  test('that are taken before they are up belong to whoever took them, failure included', async () => {
    await using place = open(1);
    const { slots, sandboxes, problems } = place;
    sandboxes.behaviour = 'dies';
    const slot = slots.take(shape(128));
    await assert.rejects(slot.booted, { name: 'SlotBootError' });
    await slot[Symbol.asyncDispose]();
    await waitFor('the refill has failed too, and is reported', () => problems.length === 1);
  });

  test('are gone when the stock is closed', async () => {
    const { slots, sandboxes, problems } = open(2);
    slots.prepare(shape(128));
    await waitFor('two are ready', () => slots.ready === 2);
    await slots[Symbol.asyncDispose]();
    assert.equal(sandboxes.alive.size, 0);
    assert.throws(() => slots.take(shape(128)), /closed/);
    assert.deepEqual(problems, []);
  });
});

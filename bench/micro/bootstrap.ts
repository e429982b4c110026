// The Node bootstrap alone: boot to `U`, and echo round trips over its socket with one and with four events in it.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Figures, ScenarioOptions, Spread } from '../support/scenario.ts';
import { spread } from '../support/stats.ts';

export const name = 'micro/bootstrap';
export const about = 'the Node bootstrap alone: boot, init, echo round trips over its socket';

const MAIN = fileURLToPath(new URL('../../bootstrap/node/main.ts', import.meta.url));
const ROUND_TRIPS = 10_000;
const WARM_UP = 2_000;
const ROUNDS = 10;
/** JSON of 100 bytes. */
const PAYLOAD = Buffer.from(JSON.stringify({ text: 'x'.repeat(89) }));
const RESULT_KIND = 0x4f;

/** Boots the bootstrap as slots have it several times, then counts round trips with one and with four events in the socket. */
export async function run({ rounds = ROUNDS, signal }: ScenarioOptions): Promise<Figures> {
  const directory = await mkdtemp(join(tmpdir(), 'lambkin-bench-bootstrap-'));
  try {
    const program = join(directory, 'index.mjs');
    await build({
      entryPoints: [MAIN],
      outfile: program,
      bundle: true,
      platform: 'node',
      format: 'esm',
      logLevel: 'error',
    });
    await writeFile(
      join(directory, 'echo.mjs'),
      'export const handler = async (event) => event;\n',
    );
    const measured: Measured[] = [];
    for (let round = 0; round < rounds; round++) {
      signal.throwIfAborted();
      measured.push(await measureSlot(program, directory));
    }
    const of = (figure: keyof Measured): Spread => spread(measured.map((each) => each[figure]));
    return {
      tables: [
        {
          title: `Median (quartiles) of ${rounds} processes, ${ROUND_TRIPS} round trips each`,
          rows: [
            { what: 'spawn to U, ms', figure: of('bootMs') },
            { what: 'S to R with a one-line function, ms', figure: of('initMs') },
            { what: 'resident while it waits for S, MiB', figure: of('idleRssMib') },
            { what: 'echo, 1 event in the socket, µs', figure: of('depth1Us') },
            { what: 'echo, 4 events in the socket, µs each', figure: of('depth4Us') },
          ],
        },
      ],
      notes: [],
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

interface Measured {
  readonly bootMs: number;
  readonly initMs: number;
  readonly idleRssMib: number;
  readonly depth1Us: number;
  readonly depth4Us: number;
}

async function measureSlot(program: string, directory: string): Promise<Measured> {
  const slot = await Slot.boot(program);
  try {
    await slot.initialise(directory);
    await slot.roundTrips(WARM_UP, 1);
    return {
      bootMs: slot.bootMs,
      initMs: slot.initMs,
      idleRssMib: slot.idleRssKib / 1024,
      depth1Us: await slot.roundTrips(ROUND_TRIPS, 1),
      depth4Us: await slot.roundTrips(ROUND_TRIPS, 4),
    };
  } finally {
    await slot.end();
  }
}

class Slot {
  readonly bootMs: number;
  readonly idleRssKib: number;
  initMs = 0;
  readonly #child: ChildProcess;
  readonly #control: Socket;
  #received: Buffer = Buffer.alloc(0);
  #onFrame: (kind: number) => void = () => {};

  private constructor(child: ChildProcess, control: Socket, bootMs: number, idleRssKib: number) {
    this.#child = child;
    this.#control = control;
    this.bootMs = bootMs;
    this.idleRssKib = idleRssKib;
    control.on('data', (chunk: Buffer) => this.#receive(chunk));
  }

  static async boot(program: string): Promise<Slot> {
    const begin = performance.now();
    const child = spawn(process.execPath, [program], {
      env: {},
      stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
    });
    const control = child.stdio[3] as Socket; // 'pipe' above
    await once(control, 'data');
    const bootMs = performance.now() - begin;
    return new Slot(child, control, bootMs, await residentKib(child.pid));
  }

  async initialise(taskRoot: string): Promise<void> {
    const begin = performance.now();
    const body = {
      env: {
        AWS_LAMBDA_FUNCTION_NAME: 'echo',
        AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '128',
        AWS_LAMBDA_LOG_GROUP_NAME: '/aws/lambda/echo',
        AWS_LAMBDA_LOG_STREAM_NAME: 'stream',
        LAMBDA_TASK_ROOT: taskRoot,
        _HANDLER: 'echo.handler',
      },
      withdrawnFile: '/dev/zero', // nothing ever is
    };
    const ready = new Promise<void>((resolve) => {
      this.#onFrame = () => resolve();
    });
    this.#control.write(frame('S', Buffer.from(JSON.stringify(body))));
    await ready;
    this.initMs = performance.now() - begin;
  }

  /** Microseconds per event with `depth` of them in flight. */
  async roundTrips(count: number, depth: number): Promise<number> {
    const event = invokeFrame();
    let sent = 0;
    let answered = 0;
    const begin = performance.now();
    await new Promise<void>((resolve, reject) => {
      this.#onFrame = (kind) => {
        if (kind !== RESULT_KIND)
          reject(new Error(`unexpected frame ${String.fromCharCode(kind)}`));
        answered += 1;
        if (answered === count) resolve();
        else if (sent < count) this.#control.write(event);
        sent += 1;
      };
      for (; sent < depth; sent++) this.#control.write(event);
    });
    return ((performance.now() - begin) * 1000) / count;
  }

  async end(): Promise<void> {
    const exit = once(this.#child, 'exit');
    this.#control.destroy();
    await exit;
  }

  #receive(chunk: Buffer): void {
    let rest = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32LE(0)) {
      const end = 4 + rest.readUInt32LE(0);
      this.#onFrame(rest.readUInt8(4));
      rest = rest.subarray(end);
    }
    this.#received = rest;
  }
}

async function residentKib(pid: number | undefined): Promise<number> {
  const text = await readFile(`/proc/${pid}/status`, 'latin1');
  return Number(/VmRSS:\s+(\d+)/.exec(text)?.[1]);
}

function invokeFrame(): Buffer {
  const remaining = Buffer.alloc(4);
  remaining.writeUInt32LE(3000);
  const arn = Buffer.from('arn:aws:lambda:us-east-1:000000000000:function:echo');
  const arnLength = Buffer.alloc(2);
  arnLength.writeUInt16LE(arn.length);
  return frame(
    'I',
    Buffer.concat([Buffer.from(randomUUID()), remaining, arnLength, arn, Buffer.alloc(6), PAYLOAD]),
  );
}

function frame(kind: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32LE(body.length + 1);
  head.write(kind, 4, 'latin1');
  return Buffer.concat([head, body]);
}

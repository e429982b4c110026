// The shell that waits in a slot becomes exactly the program it is told, with exactly those variables.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import type { Socket } from 'node:net';
import path from 'node:path';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import fc from 'fast-check';
import { FrameDecoder } from '../../runtime/slots/frames.ts';
import {
  END_LINE,
  endIn,
  type HowToRun,
  linesFor,
  readBehindSign,
  withVariables,
} from '../../runtime/slots/late-start.ts';

const SCRIPT = path.join(import.meta.dirname, '../../bootstrap/provided/wait.sh');

/** Prints its directory, arguments, environment and descriptors, each with a NUL behind. */
const SHOW = `
const { readdirSync, readlinkSync } = require('node:fs');
const open = readdirSync('/proc/self/fd').map((fd) => {
  try { return [Number(fd), readlinkSync('/proc/self/fd/' + fd)]; } catch { return [0, '']; }
});
const kept = open.filter(([fd, target]) => fd > 2 && /^(socket|pipe):/.test(target)).map(([fd]) => fd);
const fds = kept.includes(3) && open.find(([fd]) => fd === 3)[1].startsWith('socket:') ? [3] : [];
console.log(JSON.stringify({ cwd: process.cwd(), args: process.argv.slice(1), env: process.env, fds }));`;

async function became(lines: string) {
  const child = spawn('/bin/sh', [SCRIPT], {
    env: { LEFT: 'over' },
    stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
  });
  assert.ok(child.stdout !== null);
  const control = child.stdio[3] as Duplex; // a pipe, as asked for
  const [sign] = (await once(control, 'data')) as [Buffer]; // the event's one argument
  assert.equal(sign.toString(), 'U');
  control.end(lines);
  const output = await text(child.stdout);
  const code = child.exitCode ?? ((await once(child, 'exit')) as [number])[0]; // of its arguments the first
  return { output, code };
}

async function shown(variables: Readonly<Record<string, string>>, args: readonly string[]) {
  const program = [process.execPath, '-e', SHOW, '--', ...args];
  const { output, code } = await became(
    linesFor({ directory: '/usr', command: withVariables(variables, program), how: 'instead' }),
  );
  assert.equal(code, 0);
  return JSON.parse(output) as unknown;
}

test('any text can be a value or an argument', async () => {
  const awkward = [
    'plain',
    '',
    ' spaces  and\ttabs ',
    `quotes ' " \` $HOME $(id) \\ \\n`,
    'line\nfeeds\n\nand one at the end\n',
    '\n',
    '+plus\n+and =\n=equals\n.\n.',
    'añ𝄞',
    'return\r',
    '-n',
  ];
  const variables = Object.fromEntries(awkward.map((value, index) => [`V${index}`, value]));
  assert.deepEqual(await shown(variables, awkward), {
    cwd: '/usr',
    args: awkward,
    env: variables,
    fds: [],
  });
});

test('and any others that are drawn', async () => {
  const value = fc
    .string({
      unit: fc.oneof(
        fc.constantFrom('\n', '+', '=', '.', '\\', "'", '"', '$', ' '),
        fc.string({ minLength: 1, maxLength: 1 }),
      ),
      maxLength: 20,
    })
    .filter((drawn) => !drawn.includes('\0'));
  await fc.assert(
    fc.asyncProperty(fc.array(value, { maxLength: 5 }), async (values) => {
      const variables = Object.fromEntries(values.map((each, index) => [`V${index}`, each]));
      assert.deepEqual(await shown(variables, values), {
        cwd: '/usr',
        args: values,
        env: variables,
        fds: [],
      });
    }),
    { numRuns: 15 },
  );
});

test('a slot whose host has gone starts nothing', async () => {
  const whole = linesFor({ directory: '/usr', command: ['/bin/echo', 'started'], how: 'instead' });
  assert.deepEqual(await became(whole), { output: 'started\n', code: 0 });
  for (const length of [0, 3, 10, whole.length - 2, whole.length - 1])
    assert.deepEqual(await became(whole.slice(0, length)), { output: '', code: 0 });
});

/** Everything that a shell says for such lines, with the frames on its control socket cut apart. */
async function ran(lines: string, more: (control: Duplex) => void = () => {}) {
  const child = spawn('/bin/sh', [SCRIPT], {
    env: {},
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  assert.ok(child.stdout !== null && child.stderr !== null);
  const errors = text(child.stderr);
  const control = child.stdio[3] as Duplex; // a pipe, as asked for
  // It may end with what it was told unread.
  control.on('error', () => {});
  const frames: string[] = [];
  const decoder = new FrameDecoder((kind, body) => frames.push(kind + body.toString()));
  await once(control, 'data');
  control.on('data', (chunk: Buffer) => decoder.push(chunk));
  control.write(lines);
  more(control);
  const output = text(child.stdout);
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null]; // the event's arguments
  control.destroy();
  return { output: await output, errors: await errors, frames, code, signal };
}

const sh = (script: string, how: HowToRun, label?: string) =>
  linesFor({ directory: '/', command: ['/bin/sh', '-c', script], how, label });

test('programs run beside the shell, and their ends are told by their labels', async () => {
  const lines =
    sh('echo one; echo in errors >&2; exit 3', 'beside', 'a name') +
    sh('echo two; kill -9 $$', 'beside', 'other') +
    sh('sleep 0.2; echo last', 'under');
  const { output, errors, frames, code } = await ran(lines, (control) => control.write(END_LINE));
  assert.deepEqual(output.trim().split('\n').toSorted(), ['last', 'one', 'two']);
  assert.equal(errors, 'in errors\n');
  assert.deepEqual(frames.toSorted(), ['C 0', 'Ca name 3', 'Cother 137']);
  assert.equal(code, 0);
});

for (const [script, ends] of [
  ['exit 7', { code: 7, signal: null }],
  ['kill -9 $$', { code: null, signal: 'SIGKILL' }],
  ['kill -SEGV $$', { code: null, signal: 'SIGSEGV' }],
] as const)
  test(`the shell ends as the program under it did, once it is told to: ${script}`, async () => {
    let told = false;
    const { code, signal, frames, errors } = await ran(sh(script, 'under'), (control) => {
      setTimeout(() => {
        told = true;
        control.write(END_LINE);
      }, 100);
    });
    assert.equal(told, true);
    assert.deepEqual({ code, signal }, ends);
    assert.equal(frames.length, 1);
    assert.equal(errors, '', 'the shell itself says nothing');
  });

test('SIGTERM to the shell reaches the program under it, and that alone', async () => {
  const script = 'trap "echo got it; exit 5" TERM; kill -TERM $PPID; while :; do sleep 0.01; done';
  const { output, code } = await ran(sh(script, 'underWithControl'), (control) =>
    control.write(END_LINE),
  );
  assert.equal(output, 'got it\n');
  assert.equal(code, 5);
});

test('only a program that is to have the control socket has it', async () => {
  for (const [how, has] of [
    ['instead', 'no'],
    ['insteadWithControl', 'yes'],
    ['under', 'no'],
    ['underWithControl', 'yes'],
  ] as const) {
    const lines = sh('[ -e /proc/self/fd/3 ] && echo yes || echo no', how);
    const { output } = await ran(lines, (control) => control.write(END_LINE));
    assert.equal(output, `${has}\n`, how);
  }
});

test('an end that cannot be read is none', () => {
  assert.deepEqual(endIn(Buffer.from('a b 12')), { label: 'a b', status: 12 });
  assert.deepEqual(endIn(Buffer.from(' 0')), { label: '', status: 0 });
  for (const body of ['', 'a', 'a x', 'a 1234', 'a 1 '])
    assert.equal(endIn(Buffer.from(body)), undefined);
});

test('frames that come in one piece with the sign of the shell are read', () => {
  const control = new EventEmitter();
  const heard: string[] = [];
  const frames = new FrameDecoder((kind, body) => heard.push(kind + body.toString()));
  readBehindSign(control as unknown as Socket, () => heard.push('sign'), frames); // it listens, and nothing else
  const frame = (text: string) =>
    Buffer.concat([Buffer.from([text.length, 0, 0, 0]), Buffer.from(text)]);
  const [head, tail] = [frame('Cb 2').subarray(0, 3), frame('Cb 2').subarray(3)];
  control.emit('data', Buffer.concat([Buffer.from('U'), frame('Ca 1'), head]));
  control.emit('data', tail);
  control.emit('data', frame('Cc 3'));
  assert.deepEqual(heard, ['sign', 'Ca 1', 'Cb 2', 'Cc 3']);
});

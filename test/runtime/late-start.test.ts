// The shell that waits in a slot becomes exactly the program it is told, with exactly those variables.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import fc from 'fast-check';
import { linesFor, withVariables } from '../../runtime/late-start.ts';

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

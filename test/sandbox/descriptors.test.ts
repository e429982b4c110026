// Descriptors that the host itself inherited must not reach a function.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

const module = path.resolve(import.meta.dirname, '../../runtime/sandbox/descriptors.ts');
const program = `
const { closeInheritedDescriptors } = await import(process.argv[1]);
const { readdirSync } = await import('node:fs');
const closed = closeInheritedDescriptors(JSON.parse(process.argv[2]));
const { spawnSync } = await import('node:child_process');
const seen = spawnSync('/bin/sh', ['-c', 'echo /proc/$$/fd/*']).stdout.toString().trim().split(' ').map((f) => Number(f.split('/').at(-1)));
console.log(JSON.stringify({ closed, seen }));
`;

/** Beyond the low ones, which Node itself marks when it starts. */
const [one, other] = [40, 42];

function inherited(keep: readonly number[]): { closed: number[]; seen: number[] } {
  const file = openSync('/dev/null', 'r');
  const stdio: ('ignore' | 'pipe' | number)[] = Array.from({ length: other + 1 }, () => 'ignore');
  stdio[1] = 'pipe';
  stdio[one] = file;
  stdio[other] = file;
  const parameters = ['--input-type=module', '-e', program, module, JSON.stringify(keep)];
  const ran = spawnSync(process.execPath, parameters, { encoding: 'utf8', stdio });
  closeSync(file);
  return JSON.parse(ran.stdout);
}

test('what has no close-on-exec is closed', () => {
  const { closed, seen } = inherited([]);
  assert.ok(closed.includes(one) && closed.includes(other), JSON.stringify(closed));
  assert.ok(!seen.includes(one) && !seen.includes(other), JSON.stringify(seen));
});

test('what is to be kept is kept', () => {
  const { closed, seen } = inherited([other]);
  assert.ok(closed.includes(one) && !closed.includes(other));
  assert.ok(seen.includes(other));
});

// Runs a table of cases as tests, several at a time on one host, and judges what they did to the host and to its neighbour.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { after, before, suite, test } from 'node:test';
import type { IsolationTier } from '../../runtime/sandbox/sandbox.ts';
import { Arena, type Impact } from './arena.ts';
import type { HostileCase } from './case.ts';
import { ninth } from './watch.ts';

/** Ten times what is promised: the machine is shared, and this is no measurement. */
const HEALTH_LIMIT_MS = 500;
const NEIGHBOUR_FACTOR = 30;
/** Answers of a neighbour at rest are not compared below this. */
const LEAST_BASELINE_MS = 100;

/** Cases of a family that no other test proves, in the strongest tier of this machine. */
export function testFamily(name: string, cases: readonly HostileCase[]): void {
  testCases(
    `a hostile function (${name})`,
    'full',
    cases.filter(({ provenBy }) => provenBy === undefined),
  );
  for (const { provenBy, what } of cases) {
    if (provenBy === undefined) continue;
    assert.ok(
      existsSync(path.join(import.meta.dirname, '../..', provenBy)),
      `${what}: ${provenBy}`,
    );
  }
}

export function testCases(
  name: string,
  tier: IsolationTier,
  cases: readonly HostileCase[],
  { concurrency = 3, skip = false }: { concurrency?: number; skip?: string | false } = {},
): void {
  suite(name, { concurrency, skip }, () => {
    let arena: Arena;
    const impacts: Impact[] = [];
    before(async () => {
      arena = await Arena.open(tier);
    });
    after(async () => {
      try {
        assertUnharmed(arena, impacts);
        await arena.assertNothingLeft();
      } finally {
        await arena[Symbol.asyncDispose]();
      }
    });
    for (const hostile of cases)
      test(`${hostile.number}: ${hostile.what}`, async (t) => {
        const instead = hostile.instead?.[arena.tier];
        if (instead !== undefined) {
          t.skip(instead);
          return;
        }
        try {
          impacts.push(await arena.run(hostile));
        } catch (error) {
          t.diagnostic(`the host has said: ${arena.hostPrinted}`);
          throw error;
        }
      });
  });
}

/** The neighbour has not failed once, nor waited long; nor has whoever asked for health. */
function assertUnharmed(arena: Arena, impacts: readonly Impact[]): void {
  for (const { neighbour, health } of impacts) {
    assert.deepEqual(
      [...neighbour, ...health].flatMap(({ fault }) => fault ?? []),
      [],
    );
    const healthMs = ninth(health.map(({ ms }) => ms));
    assert.ok(healthMs < HEALTH_LIMIT_MS, `health was answered after ${healthMs} ms`);
    if (arena.tier !== 'full') continue;
    const limitMs = NEIGHBOUR_FACTOR * Math.max(LEAST_BASELINE_MS, ninth(arena.baseline));
    const neighbourMs = ninth(neighbour.map(({ ms }) => ms));
    assert.ok(neighbourMs < limitMs, `the neighbour waited ${neighbourMs} ms of ${limitMs}`);
  }
}

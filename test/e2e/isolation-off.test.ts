// Without isolation functions still run, each in its own places; the start line says what is missing. What still holds: test/hostile.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, suite, test } from 'node:test';
import { result } from '../support/function-answers.ts';
import { startHostProcess } from '../support/host-process.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';
import { waitFor } from '../support/wait-for.ts';

const CODE = `import { tmpdir } from 'node:os';
import { writeFileSync, readFileSync } from 'node:fs';
let n = 0;
const ways = {
  ok: () => { n += 1; return n; },
  places: () => { writeFileSync(tmpdir() + '/x', 'y'); return { cwd: process.cwd(), root: process.env.LAMBDA_TASK_ROOT, tmp: tmpdir(), own: readFileSync(process.env.LAMBDA_TASK_ROOT + '/data.txt', 'utf8'), keys: Object.keys(process.env) }; },
};
export const handler = async ({ way }) => ways[way]();`;

suite('a host with --isolation off', () => {
  let t: TestHost;

  before(async () => {
    process.env['HOST_CANARY'] = 'must not be seen';
    t = await startTestHost({ args: ['--isolation', 'off'] });
    await t.deploy('f', { 'index.mjs': CODE, 'data.txt': 'mine' }, { Timeout: 2 });
  });
  after(() => t[Symbol.asyncDispose]());

  test('reports the tier none', () => {
    assert.equal(t.host.isolation.tier, 'none');
  });

  test('runs functions in their own places, with their own variables', async () => {
    const seen = (await result(t, 'f', { way: 'places' })) as {
      cwd: string;
      root: string;
      tmp: string;
      own: string;
      keys: string[];
    }; // as the fixture returns
    assert.equal(seen.own, 'mine');
    assert.equal(seen.cwd, seen.root);
    assert.ok(seen.root.startsWith(`${t.dataDir}/slots/`), seen.root);
    assert.ok(seen.tmp.startsWith(`${t.dataDir}/slots/`), seen.tmp);
    assert.equal(seen.keys.includes('HOST_CANARY'), false);
    assert.equal(await result(t, 'f', { way: 'ok' }), 1);
    assert.equal(await result(t, 'f', { way: 'ok' }), 2);
  });
});

test('the start line says which tier was reached, why not a higher one, and how to reach it', async () => {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'lambkin-test-'));
  try {
    await using host = await startHostProcess(dataDir, { args: ['--isolation', 'off'] });
    // Lines come one by one, and the host is ready with the first.
    await waitFor('all has been printed', () => host.printed.includes('\nTry next: '));
    const [, reasons = ''] = /^ {2}isolation {2}none\b(.*)$/m.exec(host.printed) ?? [];
    assert.match(reasons, /^: switched off by --isolation or LAMBKIN_ISOLATION; auto reaches/);
    host.signal('SIGTERM');
    assert.equal(await host.ended, 0);
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
});

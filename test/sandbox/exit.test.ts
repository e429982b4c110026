// How the end of a slot is told, in every tier.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { exitOf, isHeapExhaustion, signalText } from '../../runtime/sandbox/exit-status.ts';
import type { IsolationTier, SandboxExit } from '../../runtime/sandbox/sandbox.ts';
import { defaultShape, openTestHost, tierOptions, unlessTier, waitFor } from './slot.ts';

const ends: readonly (readonly [string, string, SandboxExit])[] = [
  ['leaves with 0', 'process.exit(0)', { kind: 'exited', code: 0 }],
  ['leaves with 7', 'process.exit(7)', { kind: 'exited', code: 7 }],
  ['aborts', 'process.abort()', { kind: 'signalled', signal: 'aborted' }],
  [
    'crashes',
    `process.kill(process.pid, 'SIGSEGV'); await new Promise(() => {})`,
    { kind: 'signalled', signal: 'segmentation fault' },
  ],
  [
    'is terminated',
    `process.kill(process.pid, 'SIGTERM'); await new Promise(() => setInterval(() => 0, 1000))`,
    { kind: 'signalled', signal: 'terminated' },
  ],
];

for (const tier of [
  'full',
  'partial',
  'partial-uid',
  'none',
] as const satisfies readonly IsolationTier[]) {
  suite(`the end of a slot of tier ${tier}`, { skip: await unlessTier(tier) }, () => {
    for (const [what, code, expected] of ends) {
      test(`that ${what}`, async () => {
        await using host = await openTestHost(tierOptions[tier]);
        await using slot = await host.start();
        assert.equal(await slot.run(code), undefined);
        assert.deepEqual(await slot.sandbox.exit, expected);
      });
    }

    test('that is killed by the host', async () => {
      await using host = await openTestHost(tierOptions[tier]);
      await using slot = await host.start();
      const running = slot.run('for (;;);');
      slot.sandbox.kill();
      slot.sandbox.kill();
      assert.deepEqual(await slot.sandbox.exit, { kind: 'signalled', signal: 'killed' });
      assert.equal(await running, undefined);
      slot.sandbox.kill();
    });

    test('that is killed before it has come up', async () => {
      await using host = await openTestHost(tierOptions[tier]);
      await using sandbox = host.sandboxes.spawn(defaultShape, host.program);
      sandbox.kill();
      assert.deepEqual(await sandbox.exit, { kind: 'signalled', signal: 'killed' });
    });

    test('that dies with unread events does not hurt a host that does not listen', async () => {
      await using host = await openTestHost(tierOptions[tier]);
      await using sandbox = host.sandboxes.spawn(defaultShape, host.program);
      sandbox.control.write(`${JSON.stringify('process.exit(3)')}\n`);
      sandbox.control.write('x'.repeat(200_000));
      assert.deepEqual(await sandbox.exit, { kind: 'exited', code: 3 });
    });

    test('that cannot start is an exit, with what was said in the output', async () => {
      await using host = await openTestHost(tierOptions[tier]);
      const program = { ...host.program, arguments: () => ['/no/such/program.mjs'] };
      await using sandbox = host.sandboxes.spawn(defaultShape, program);
      let output = '';
      sandbox.output.setEncoding('utf8').on('data', (part: string) => {
        output += part;
      });
      assert.deepEqual(await sandbox.exit, { kind: 'exited', code: 1 });
      await waitFor('the message', () => output.includes('/no/such/program.mjs'));
    });

    test('output and errors are one stream, in order', async () => {
      await using host = await openTestHost(tierOptions[tier]);
      await using slot = await host.start();
      await slot.run(`for (let i = 0; i < 200; i++) { console.log('o' + i); console.error('e' + i); }
        spawnSync('/bin/sh', ['-c', 'echo child; echo error >&2'], { stdio: 'inherit' })`);
      const lines = Array.from({ length: 200 }, (_, at) => `o${at}\ne${at}\n`).join('');
      await waitFor('all output', () => slot.output.endsWith('error\n'));
      assert.equal(slot.output, `${lines}child\nerror\n`);
    });
  });
}

test('signals are named as Go names them', () => {
  assert.equal(signalText(9), 'killed');
  assert.equal(signalText(11), 'segmentation fault');
  assert.equal(signalText(31), 'signal 31');
  assert.deepEqual(exitOf(139, null, true), { kind: 'signalled', signal: 'segmentation fault' });
  assert.deepEqual(exitOf(139, null, false), { kind: 'exited', code: 139 });
  assert.deepEqual(exitOf(200, null, true), { kind: 'exited', code: 200 });
  assert.deepEqual(exitOf(null, 'SIGKILL', true), { kind: 'signalled', signal: 'killed' });
});

test('an abort is heap exhaustion only with the message of V8', () => {
  const aborted = { kind: 'signalled', signal: 'aborted' } as const;
  const message =
    'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory';
  assert.ok(isHeapExhaustion(aborted, message));
  assert.ok(!isHeapExhaustion(aborted, 'Assertion failed'));
  assert.ok(!isHeapExhaustion({ kind: 'exited', code: 1 }, message));
});

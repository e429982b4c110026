// A slot whose processes will not end is kept out of use, and disposal still comes to an end.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { launch } from '../../runtime/sandbox/launch.ts';
import { MemoryPoll } from '../../runtime/sandbox/memory-poll.ts';
import { PeerSockets } from '../../runtime/sandbox/peer.ts';
import { ProcessSandbox } from '../../runtime/sandbox/process-sandbox.ts';

test('disposal gives up after 2 s, quarantines the slot and never releases it', async () => {
  const launched = launch({ command: ['/bin/sleep', '30'] });
  using poll = new MemoryPoll(() => performance.now());
  const quarantined: Error[] = [];
  let released = 0;
  let blows = 0;
  const sandbox = new ProcessSandbox({
    id: '0.1',
    paths: { taskRoot: '/', runtimeDir: '/', optDir: '/', tmpDir: '/', withdrawnFile: '/w' },
    taskDir: '/',
    optDir: '/',
    withdrawnFile: '/w',
    launched,
    // As if it were stuck in the kernel: no signal reaches it.
    tree: {
      kill: () => blows++,
      killHard: () => blows++,
      isGone: () => false,
      members: () => [launched.child.pid ?? 0],
      programs: () => [launched.child.pid ?? 0],
    },
    group: undefined,
    uid: undefined,
    limitBytes: 1,
    signalsAsCodes: false,
    poll,
    peers: new PeerSockets(),
    release: () => {
      released++;
      return Promise.resolve();
    },
    quarantine: (cause) => quarantined.push(cause),
  });
  const start = performance.now();
  await sandbox[Symbol.asyncDispose]();
  await sandbox[Symbol.asyncDispose]();
  const passedMs = performance.now() - start;
  assert.ok(passedMs >= 2_000 && passedMs < 3_000, String(passedMs));
  assert.ok(blows > 10, 'blows are repeated');
  assert.equal(quarantined.length, 1);
  assert.match(String(quarantined[0]?.message), /survive SIGKILL/);
  assert.equal(released, 0);
  launched.child.kill('SIGKILL');
  assert.deepEqual(await sandbox.exit, { kind: 'signalled', signal: 'killed' });
});

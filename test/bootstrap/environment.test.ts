// The process as the function finds it: variables, directory, time zone, nothing of the host's.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BootstrapPeer } from '../support/bootstrap-peer.ts';

interface Found {
  readonly cwd: string;
  readonly argv: number;
  readonly ipc: string;
  readonly env: Record<string, string>;
  readonly zone: number;
}

test('the environment is replaced whole, the directory is the task root', async () => {
  await using peer = await BootstrapPeer.start({
    code: 'environment',
    env: { OWN: 'wert=ü\nzwei' },
  });
  const found = (await peer.result({})) as Found;
  assert.deepEqual(Object.keys(found.env).toSorted(), [
    'AWS_EXECUTION_ENV',
    'AWS_LAMBDA_FUNCTION_MEMORY_SIZE',
    'AWS_LAMBDA_FUNCTION_NAME',
    'AWS_LAMBDA_FUNCTION_VERSION',
    'AWS_LAMBDA_LOG_GROUP_NAME',
    'AWS_LAMBDA_LOG_STREAM_NAME',
    'LAMBDA_TASK_ROOT',
    'OWN',
    'PATH',
    'TMPDIR',
    'TZ',
    '_HANDLER',
  ]);
  assert.equal(found.env['OWN'], 'wert=ü\nzwei');
  assert.equal(found.cwd, peer.taskRoot);
});

test('there is no IPC channel, even where the slot was spawned with its variables', async () => {
  await using peer = await BootstrapPeer.start({ code: 'environment' });
  const found = (await peer.result({})) as Found;
  assert.equal(found.ipc, 'undefined');
  assert.equal(found.argv, 2);
});

test('TZ takes effect although it arrives after the process start', async () => {
  await using utc = await BootstrapPeer.start({ code: 'environment' });
  assert.equal(((await utc.result({})) as Found).zone, 0);
  await using tokyo = await BootstrapPeer.start({ code: 'environment', env: { TZ: 'Asia/Tokyo' } });
  assert.equal(((await tokyo.result({})) as Found).zone, -540);
});

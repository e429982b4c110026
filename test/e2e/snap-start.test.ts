// Versions with SnapStart: initialised when they are published, restored for their first events, with the hooks around both.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  type CreateFunctionCommandInput,
  GetFunctionConfigurationCommand,
  PublishVersionCommand,
} from '@aws-sdk/client-lambda';
import type { PythonInterpreter } from '../../runtime/runtimes/python/probe.ts';
import { deployPython, testSnapStart } from '../python/support.ts';
import { readLog } from '../support/read-log.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';
import { waitFor } from '../support/wait-for.ts';

const SNAP_START = { SnapStart: { ApplyOn: 'PublishedVersions' } } as const;

async function deploy(
  t: TestHost,
  python: PythonInterpreter,
  code: string,
  more: Partial<CreateFunctionCommandInput> = {},
): Promise<void> {
  await deployPython(t, 'f', python, code, { ...SNAP_START, ...more });
}

async function publish(t: TestHost) {
  return await t.client.send(new PublishVersionCommand({ FunctionName: 'f' }));
}

async function version(t: TestHost, Qualifier = '1') {
  return await t.client.send(new GetFunctionConfigurationCommand({ FunctionName: 'f', Qualifier }));
}

/** Until it is not Pending any more. */
async function settled(t: TestHost) {
  await waitFor('the version to leave Pending', async () => (await version(t)).State !== 'Pending');
  return await version(t);
}

const invoke = (t: TestHost, event: unknown = {}) => t.invoke('f', event, { Qualifier: '1' });

const HOOKS = `import os, time
from snapshot_restore_py import register_after_restore, register_before_snapshot
order = ["init"]
def note(what, more=None):
    order.append(what if more is None else f"{what} {more}")
@register_before_snapshot
def first():
    note("before 1")
register_before_snapshot(note, "before 2")
register_after_restore(note, "after 1", more="argument")
@register_after_restore
def second():
    note("after 2")
def handler(event, context):
    return {"order": order, "type": os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"], "group": context.log_group_name,
            "stream": "AWS_LAMBDA_LOG_STREAM_NAME" in os.environ}`;

testSnapStart(
  'a version is initialised when it is published, and restored for its events',
  async (python) => {
    await using t = await startTestHost();
    await deploy(t, python, HOOKS);
    const latest = (await t.invoke('f')).payload;
    assert.deepEqual(latest, {
      order: ['init'],
      type: 'on-demand',
      group: '/aws/lambda/f',
      stream: true,
    });
    const pending = await publish(t);
    assert.equal(pending.State, 'Pending');
    assert.equal(pending.SnapStart?.OptimizationStatus, 'Off');
    const active = await settled(t);
    assert.equal(active.State, 'Active');
    assert.equal(active.SnapStart?.OptimizationStatus, 'On');
    const before = await readLog(t, '/aws/lambda/f');
    const inits = before.filter((each) => each.startsWith('INIT_REPORT '));
    assert.equal(inits.length, 1);
    assert.match(
      inits[0] ?? '',
      /^INIT_REPORT Init Duration: [\d.]+ ms\tPhase: init\tStatus: success\n$/,
    );

    const first = await invoke(t);
    assert.deepEqual(first.payload, {
      order: ['init', 'before 2', 'before 1', 'after 1 argument', 'after 2'],
      type: 'snap-start',
      group: null,
      stream: false,
    });
    assert.match(
      first.log,
      /\tMax Memory Used: \d+ MB\tRestore Duration: [\d.]+ ms\tBilled Restore Duration: \d+ ms\t\n/,
    );
    assert.doesNotMatch(first.log, /Init Duration/);
    assert.doesNotMatch((await invoke(t)).log, /Restore Duration/);
    const log = await readLog(t, '/aws/lambda/f');
    const start = new RegExp(
      `^RESTORE_START Runtime Version: python:3.${python.minor}.v\\d+\\tRuntime Version ARN: arn:`,
    );
    assert.equal(log.filter((each) => start.test(each)).length, 1);
    assert.equal(
      log.filter((each) => /^RESTORE_REPORT Restore Duration: [\d.]+ ms\n$/.test(each)).length,
      1,
    );
  },
);

testSnapStart(
  'each further environment begins with a restore, which says so in JSON, too',
  async (python) => {
    await using t = await startTestHost();
    await deploy(
      t,
      python,
      `import os
def handler(event, context):
    os._exit(1) if event == "exit" else None
    return os.getpid()`,
      { LoggingConfig: { LogFormat: 'JSON', SystemLogLevel: 'INFO' } },
    );
    await publish(t);
    await settled(t);
    assert.equal((await invoke(t)).functionError, undefined);
    assert.equal((await invoke(t, 'exit')).functionError, 'Unhandled');
    assert.equal((await invoke(t)).functionError, undefined);
    const records = (await readLog(t, '/aws/lambda/f')).map(
      (each) => JSON.parse(each) as { type: string; record: Record<string, unknown> }, // as the platform writes them
    );
    const types = records.map(({ type }) => type);
    assert.deepEqual(
      types.filter((type) => /init|restore/i.test(type)),
      [
        'platform.initStart',
        'platform.initReport',
        'platform.restoreStart',
        'platform.restoreReport',
        'platform.restoreStart',
        'platform.restoreReport',
      ],
    );
    const report = records.find(({ type }) => type === 'platform.restoreReport');
    assert.equal(report?.record['status'], 'success');
    const metrics = records
      .filter(({ type }) => type === 'platform.report')
      .map(({ record }) => 'restoreDurationMs' in (record['metrics'] as object)); // as the platform writes them
    assert.deepEqual(metrics, [true, false, true]);
  },
);

testSnapStart('a version whose init fails is Failed, and says why', async (python) => {
  await using t = await startTestHost();
  await deploy(
    t,
    python,
    `import os
if os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"] == "snap-start":
    raise ValueError("not like this")
def handler(event, context):
    return 1`,
  );
  await publish(t);
  const failed = await settled(t);
  assert.equal(failed.State, 'Failed');
  assert.equal(failed.StateReasonCode, 'FunctionError.RuntimeInitError');
  assert.equal(failed.StateReason, 'The init of the function failed. ValueError: not like this');
  assert.equal(failed.SnapStart?.OptimizationStatus, 'Off');
  await assert.rejects(invoke(t), { name: 'ResourceConflictException' });
});

testSnapStart('a hook before the snapshot that fails makes the version Failed', async (python) => {
  await using t = await startTestHost();
  await deploy(
    t,
    python,
    `from snapshot_restore_py import register_before_snapshot
register_before_snapshot(lambda: 1 / 0)
def handler(event, context):
    return 1`,
  );
  await publish(t);
  const failed = await settled(t);
  assert.equal(failed.State, 'Failed');
  assert.equal(
    failed.StateReason,
    'The init of the function failed. Runtime.BeforeSnapshotError: division by zero',
  );
  const log = (await readLog(t, '/aws/lambda/f')).join('');
  assert.match(log, /\[ERROR\] ZeroDivisionError: division by zero\n/);
  assert.match(log, /Phase: init\tStatus: error\tError Type: Runtime\.BeforeSnapshotError\n/);
});

testSnapStart('a hook after the restore that fails is the answer of the call', async (python) => {
  await using t = await startTestHost();
  await deploy(
    t,
    python,
    `from snapshot_restore_py import register_after_restore
@register_after_restore
def broken():
    raise OSError("no network")
def handler(event, context):
    return 1`,
  );
  await publish(t);
  assert.equal((await settled(t)).State, 'Active');
  await assert.rejects(invoke(t), (error: Error & { $metadata?: { httpStatusCode?: number } }) => {
    assert.equal(error.name, 'SnapStartException');
    assert.equal(error.$metadata?.httpStatusCode, 400);
    return true;
  });
  const log = (await readLog(t, '/aws/lambda/f')).join('');
  assert.match(
    log,
    /RESTORE_REPORT Restore Duration: [\d.]+ ms\tStatus: error\tError Type: Runtime\.AfterRestoreError\n/,
  );
  // The function's own doing is no problem of the host.
  assert.deepEqual(t.reports, []);
});

testSnapStart('while its init runs a version is not ready; $LATEST is', async (python) => {
  await using t = await startTestHost();
  await deploy(
    t,
    python,
    `import os, time
if os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"] == "snap-start":
    time.sleep(2)
def handler(event, context):
    return os.environ["AWS_LAMBDA_FUNCTION_VERSION"]`,
  );
  await publish(t);
  await assert.rejects(invoke(t), (error: Error & { $metadata?: { httpStatusCode?: number } }) => {
    assert.equal(error.name, 'SnapStartNotReadyException');
    assert.equal(error.$metadata?.httpStatusCode, 409);
    return true;
  });
  assert.equal((await t.invoke('f')).payload, '$LATEST');
  assert.equal((await settled(t)).State, 'Active');
  assert.equal((await invoke(t)).payload, '1');
});

testSnapStart(
  'an init that the end of the host has cut short begins again with the next',
  async (python) => {
    const dataDir = await mkdtemp(path.join(tmpdir(), 'lambkin-snap-start-'));
    try {
      const code = `import os, time
if os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"] == "snap-start":
    time.sleep(60)
def handler(event, context):
    return 1`;
      {
        await using t = await startTestHost({ dataDir });
        await deploy(t, python, code);
        await publish(t);
        assert.equal((await version(t)).State, 'Pending');
      }
      {
        await using t = await startTestHost({ dataDir });
        // Still pending, and its init under way: 60 s are not over yet.
        assert.equal((await version(t)).State, 'Pending');
        await waitFor('the init to begin again', async () => {
          const log = await readLog(t, '/aws/lambda/f');
          return log.filter((each) => each.startsWith('INIT_START ')).length === 2;
        });
      }
    } finally {
      await rm(dataDir, { recursive: true, force: true });
    }
  },
);

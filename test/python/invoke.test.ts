// Python functions from the caller's side: results, the context, what is on the search path.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InvokeCommand, type Runtime } from '@aws-sdk/client-lambda';
import { result } from '../support/function-answers.ts';
import { publishLayer } from '../support/layers.ts';
import { readLog } from '../support/read-log.ts';
import { startTestHost } from '../support/test-host.ts';
import { deployPython, testEachPython, testPython } from './support.ts';

testEachPython('an event comes in and a result goes out', async (python) => {
  await using t = await startTestHost();
  await deployPython(
    t,
    'f',
    python,
    `import sys
def handler(event, context):
    return {"event": event, "version": "%d.%d.%d" % sys.version_info[:3], "none": None, "text": "süß"}`,
  );
  const answer = await t.invoke('f', { list: [1, 2.5, true, null], text: 'ünï' });
  assert.deepEqual(answer.payload, {
    event: { list: [1, 2.5, true, null], text: 'ünï' },
    version: python.version,
    none: null,
    text: 'süß',
  });
  // From 3.12 on the service's runtime writes characters as they are.
  assert.equal(answer.text.includes('süß'), python.minor >= 12);
  const patch = python.version.split('.')[2];
  const [first = ''] = await readLog(t, '/aws/lambda/f');
  const version = `python:3.${python.minor}.v${patch}`;
  assert.ok(first.startsWith(`INIT_START Runtime Version: ${version}\t`), first);
});

testEachPython('the context says what it says on the service', async (python) => {
  await using t = await startTestHost();
  await deployPython(
    t,
    'f',
    python,
    `def handler(event, context):
    if event.get("bad"):
        return 1
    remaining = context.get_remaining_time_in_millis()
    client = context.client_context
    return {
        "name": context.function_name,
        "version": context.function_version,
        "memory": context.memory_limit_in_mb,
        "arn": context.invoked_function_arn,
        "group": context.log_group_name,
        "stream": context.log_stream_name[:4].isdigit(),
        "id": len(context.aws_request_id),
        "identity": [context.identity.cognito_identity_id, context.identity.cognito_identity_pool_id],
        "tenant": context.tenant_id,
        "remaining": [type(remaining).__name__, 0 < remaining <= 7000],
        "custom": client and client.custom,
        "env": client and client.env,
        "client": client and [client.client.app_title, client.client.installation_id],
        "dropped": client is None or not hasattr(client, "other"),
        "shown": repr(context.identity),
    }`,
    { Timeout: 7 },
  );
  const context = {
    custom: { a: 1 },
    env: { b: '2' },
    client: { app_title: 'App', unknown: 'x' },
    other: 3,
  };
  const ClientContext = Buffer.from(JSON.stringify(context)).toString('base64');
  const { payload } = await t.invoke('f', {}, { ClientContext });
  assert.deepEqual(payload, {
    name: 'f',
    version: '$LATEST',
    memory: '128',
    arn: 'arn:aws:lambda:us-east-1:000000000000:function:f',
    group: '/aws/lambda/f',
    stream: true,
    id: 36,
    identity: [null, null],
    tenant: null,
    remaining: ['int', true],
    custom: { a: 1 },
    env: { b: '2' },
    client: ['App', null],
    dropped: true,
    shown: 'CognitoIdentity([cognito_identity_id=None,cognito_identity_pool_id=None])',
  });
  const bare = (await result(t, 'f')) as Record<string, unknown>; // as the handler returns
  assert.equal(bare['custom'], null);
});

testEachPython('results are marshalled as the service does', async (python) => {
  await using t = await startTestHost();
  await deployPython(
    t,
    'f',
    python,
    `from decimal import Decimal
WAYS = {
    "bytes": lambda: b"raw \\xff",
    "decimal": lambda: {"price": Decimal("1.10"), "text": "1.10"},
    "nan": lambda: [float("nan")],
    "none": lambda: None,
    "tuple": lambda: (1, {"a": ()}),
    "large": lambda: "x" * 5_000_000,
    "set": lambda: {1},
    "object": lambda: {"a": object()},
    "loop": lambda: loop(),
    "coroutine": lambda: coroutine(),
}
def loop():
    a = []
    a.append(a)
    return a
async def coroutine():
    return 1
def handler(event, context):
    return WAYS[event]()`,
    { MemorySize: 256 },
  );
  const bytes = async (way: string) => {
    const command = new InvokeCommand({ FunctionName: 'f', Payload: JSON.stringify(way) });
    return Buffer.from((await t.client.send(command)).Payload ?? []).toString('latin1');
  };
  assert.equal(await bytes('bytes'), 'raw \xff');
  assert.equal(await bytes('nan'), '[NaN]');
  assert.equal((await t.invoke('f', 'decimal')).text, '{"price": 1.10, "text": "1.10"}');
  assert.equal((await t.invoke('f', 'none')).text, 'null');
  assert.equal((await t.invoke('f', 'tuple')).text, '[1, {"a": []}]');
  assert.equal((await t.invoke('f', 'large')).text.length, 5_000_002);
  for (const [way, reason] of [
    ['set', 'Object of type set is not JSON serializable'],
    ['object', 'Object of type object is not JSON serializable'],
    ['loop', 'Circular reference detected'],
    ['coroutine', 'Object of type coroutine is not JSON serializable'],
  ] as const) {
    const { payload, functionError } = await t.invoke('f', way);
    assert.equal(functionError, 'Unhandled');
    const { errorType, errorMessage, stackTrace } = payload as Record<string, unknown>; // the form of every error
    assert.deepEqual(
      { errorType, errorMessage, stackTrace },
      {
        errorType: 'Runtime.MarshalError',
        errorMessage: `Unable to marshal response: ${reason}`,
        stackTrace: [],
      },
    );
  }
});

test('a version that the machine lacks is named, with what installs it', async () => {
  await using t = await startTestHost();
  // Older than any that this host starts.
  const missing = 'python3.8';
  await t.deploy('f', { 'index.py': '' }, { Runtime: missing as Runtime });
  await assert.rejects(t.invoke('f'), (error: Error) => {
    assert.equal(error.name, 'InvalidRuntimeException');
    assert.match(error.message, new RegExp(`^The runtime ${missing} cannot run on this host: `));
    assert.match(error.message, /: it needs Python 3\.8, which this host does not start\. /);
    return true;
  });
});

testPython(
  'layers, PYTHONPATH and the code are searched in the order of the service',
  async (python) => {
    await using t = await startTestHost();
    const site = `python/lib/python3.${python.minor}/site-packages`;
    const layer = await publishLayer(t.client, 'layer', {
      [`${site}/one.py`]: 'place = "site-packages"',
      'python/one.py': 'place = "python"',
      'python/two.py': 'place = "python"',
      'python/three.py': 'place = "layer"',
    });
    await deployPython(
      t,
      'f',
      python,
      {
        'index.py': `import os, sys, one, two, three, four, calendar
def handler(event, context):
    return {"path": sys.path, "found": [one.place, two.place, three.place, four.place, getattr(calendar, "place", None)],
            "root": os.environ["LAMBDA_TASK_ROOT"], "cwd": os.getcwd()}`,
        'three.py': 'place = "code"',
        'lib/four.py': 'place = "named"',
        // Called as a module of the standard library that is loaded ahead of the function.
        'calendar.py': 'place = "code"',
      },
      { Layers: [layer], Environment: { Variables: { PYTHONPATH: '/var/task/lib' } } },
    );
    const { path, found, root, cwd } = (await result(t, 'f')) as {
      path: string[];
      found: string[];
      root: string;
      cwd: string;
    }; // as the handler returns
    assert.deepEqual(found, ['site-packages', 'python', 'code', 'named', 'code']);
    assert.equal(cwd, root);
    if (t.host.isolation.tier === 'none') return;
    assert.deepEqual(path.slice(0, 5), [
      '/var/task',
      `/opt/python/lib/python3.${python.minor}/site-packages`,
      '/opt/python',
      '/var/task/lib',
      '/var/runtime',
    ]);
    // Nothing of what is installed on this machine beside the standard library.
    assert.ok(path.every((each) => !/(site|dist)-packages/.test(each) || each.startsWith('/opt/')));
  },
);

testPython('variables that act when Python starts are there when it does', async (python) => {
  await using t = await startTestHost();
  await deployPython(
    t,
    'f',
    python,
    `import os, sys
def handler(event, context):
    return [hash("x"), sys.flags.optimize, os.environ["PYTHONHASHSEED"], os.environ["OTHER"]]`,
    { Environment: { Variables: { PYTHONHASHSEED: '42', PYTHONOPTIMIZE: '1', OTHER: 'too' } } },
  );
  const first = (await result(t, 'f')) as unknown[]; // as the handler returns
  assert.deepEqual(first.slice(1), [1, '42', 'too']);
  await deployPython(t, 'g', python, 'def handler(event, context): return [hash("x"), __debug__]', {
    Environment: { Variables: { PYTHONHASHSEED: '42' } },
  });
  assert.deepEqual(await result(t, 'g'), [first[0], true]);
});

for (const [title, options] of [
  ['without isolation', { args: ['--isolation', 'off'] }],
  ['as a user of its own', { env: { LAMBKIN_ISOLATION_BACKEND: 'uid' } }],
] as const)
  testEachPython(`runs ${title}, with its code and layers where they are`, async (python) => {
    await using t = await startTestHost(options);
    const layer = await publishLayer(t.client, 'layer', { 'python/extra.py': 'word = "layer"' });
    await deployPython(
      t,
      'f',
      python,
      `import ctypes, json, os, ssl, subprocess, sys, extra
def handler(event, context):
    child = subprocess.run([sys.executable, "-c", "print(6 * 7)"], capture_output=True, text=True)
    return [extra.word, os.getcwd() == os.environ["LAMBDA_TASK_ROOT"], child.stdout, sys.version_info[1]]`,
      { Layers: [layer] },
    );
    assert.deepEqual(await result(t, 'f'), ['layer', true, '42\n', python.minor]);
  });

// External extensions of layers: started before the runtime, told of each invocation and of the end, waited for, and noticed when they fail.
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { DeleteFunctionCommand } from '@aws-sdk/client-lambda';
import type { ZipContent } from '../support/bundle-fixtures.ts';
import { bashRuntime, deployCustom } from '../support/custom-runtime.ts';
import { bashExtension } from '../support/extensions.ts';
import { failure, result } from '../support/function-answers.ts';
import { publishLayer } from '../support/layers.ts';
import { readLog } from '../support/read-log.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';
import { waitFor } from '../support/wait-for.ts';

/** Says so when it gets SIGTERM, as bash would not while it waits for a program. */
const TERMINATED = `#!/usr/bin/python3 -u
import http.client, os, signal
def on_term(*_):
    print('got SIGTERM')
    os._exit(0)
signal.signal(signal.SIGTERM, on_term)
api = http.client.HTTPConnection(os.environ['AWS_LAMBDA_RUNTIME_API'])
while True:
    api.request('GET', '/2018-06-01/runtime/invocation/next')
    event = api.getresponse()
    body = event.read()
    path = '/2018-06-01/runtime/invocation/' + event.headers['Lambda-Runtime-Aws-Request-Id']
    api.request('POST', path + '/response', body)
    api.getresponse().read()
`;

suite('extensions', { concurrency: 2 }, () => {
  let t: TestHost;

  before(async () => {
    t = await startTestHost();
  });
  after(() => t[Symbol.asyncDispose]());

  /** A custom runtime with these files in /opt/extensions. */
  async function deployWith(
    name: string,
    extensions: Readonly<Record<string, ZipContent>>,
    runtime: { init?: string; handle?: string } = {},
    Timeout = 3,
    bootstrap = bashRuntime(runtime),
  ): Promise<void> {
    const files = Object.entries(extensions).map(([file, content]) => [
      `extensions/${file}`,
      content,
    ]);
    const layer = await publishLayer(
      t.client,
      `layer-${name}`,
      Object.fromEntries(files) as Record<string, ZipContent>,
    ); // of the pairs above
    await deployCustom(t, name, bootstrap, { Layers: [layer], Timeout });
  }

  const linesOf = async (name: string) => readLog(t, `/aws/lambda/${name}`);

  test('are started before the runtime, and told of events and of the end', async () => {
    const watcher = bashExtension({ before: 'echo extension begins' });
    await deployWith('all', { watcher }, { init: 'echo runtime starts' });
    const { payload, log } = await t.invoke('all', { a: 1 });
    assert.deepEqual(payload, { a: 1 });
    const [, id = ''] = /^START RequestId: (\S+)/.exec(log) ?? [];
    const lines = await linesOf('all');
    const registered = lines.findIndex((line) => line.startsWith('[watcher] registered '));
    assert.deepEqual(JSON.parse(lines[registered]?.slice(21) ?? ''), {
      accountId: '000000000000',
      functionName: 'all',
      functionVersion: '$LATEST',
      handler: 'any.thing:at-all',
    });
    assert.ok(lines.indexOf('extension begins\n') < lines.indexOf('runtime starts\n'));
    const ready = 'EXTENSION\tName: watcher\tState: Ready\tEvents: [INVOKE, SHUTDOWN]\n';
    assert.ok(lines.indexOf(ready) < lines.findIndex((line) => line.startsWith('START')));
    const invoke = lines.find((line) => line.includes('"eventType":"INVOKE"')) ?? '';
    const { deadlineMs, tracing, ...event } = JSON.parse(invoke.slice(10)) as Record<
      string,
      unknown
    >; // an object, as it begins
    assert.deepEqual(event, {
      eventType: 'INVOKE',
      requestId: id,
      invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:all',
    });
    assert.equal(typeof deadlineMs, 'number');
    assert.equal((tracing as { type: string }).type, 'X-Amzn-Trace-Id');

    await t.client.send(new DeleteFunctionCommand({ FunctionName: 'all' }));
    await waitFor('it has ended', async () => (await linesOf('all')).includes('[watcher] ends\n'));
    const last = (await linesOf('all')).find((line) => line.includes('SHUTDOWN"')) ?? '';
    assert.match(last, /"shutdownReason":"SPINDOWN"/);
  });

  test('have the variables of the function but those of its runtime', async () => {
    const extension = bashExtension({ init: 'env | cut -d= -f1 | sort | tr "\\n" " "; echo' });
    await deployWith('variables', { one: extension });
    await result(t, 'variables');
    const names = (await linesOf('variables')).find((line) => line.startsWith('AWS_ACCESS_KEY_ID'));
    assert.match(names ?? '', /AWS_LAMBDA_RUNTIME_API/);
    assert.match(names ?? '', /AWS_LAMBDA_FUNCTION_NAME/);
    for (const hidden of ['_HANDLER', 'LAMBDA_TASK_ROOT', 'AWS_LAMBDA_LOG_GROUP_NAME', 'AWS_XRAY'])
      assert.ok(!names?.includes(hidden), hidden);
  });

  test('are waited for at the end of an invocation, but its caller is not kept waiting', async () => {
    const handle =
      'case $event in *INVOKE*) until [ -e /tmp/go ]; do sleep 0.01; done; echo "[slow] done" ;; esac';
    await deployWith(
      'waits',
      { slow: bashExtension({ handle }) },
      { handle: 'answer "$event"' },
      60,
    );
    const plain = { LogType: 'None' } as const;
    const { payload } = await t.invoke('waits', 1, plain);
    assert.equal(payload, 1, 'answered while the extension works');
    const reports = async () =>
      (await linesOf('waits')).filter((line) => line.startsWith('REPORT'));
    assert.deepEqual(await reports(), [], 'the invocation goes on');
  });

  test('do not register twice, late, or under what they are not', async () => {
    const register = (name: string, body: string) =>
      `curl -sS -X POST http://$AWS_LAMBDA_RUNTIME_API/2020-01-01/extension/register -H 'Lambda-Extension-Name: ${name}' -d '${body}'`;
    const init = `echo "internal: $(${register('inner', '{"events":["INVOKE"]}')})"
      echo "shutdown: $(${register('other', '{"events":["SHUTDOWN"]}')})"`;
    const handle = `answer "$(${register('late', '{"events":[]}')})"`;
    await deployCustom(t, 'internal', bashRuntime({ init: init.replace('inner', ''), handle }));
    assert.deepEqual(await result(t, 'internal'), {
      errorMessage: 'Extension registration closed already',
      errorType: 'Extension.RegistrationClosed',
    });
    const lines = await linesOf('internal');
    assert.ok(lines.some((line) => line.includes('Empty extension name')));
    assert.ok(
      lines.includes(
        'shutdown: {"errorMessage":"SHUTDOWN: ShutdownEventNotSupportedForInternalExtension","errorType":"Extension.InvalidEventType"}\n',
      ),
    );
  });

  const FAILURES = [
    ['crashes-before', { before: 'exit 7' }, 'Extension.Crash', 'exit code 7', 'Started'],
    ['crashes-at-init', { init: 'exit 8' }, 'Extension.Crash', 'exit code 8', 'Registered'],
    [
      'reports-init-error',
      { init: 'report init/error Extension.NoKey; exit 1' },
      'Extension.InitError',
      'one has reported Extension.NoKey',
      'InitError',
    ],
  ] as const;
  for (const [name, parts, errorType, reason, state] of FAILURES)
    test(`that fail in init fail the invocation: ${name}`, async () => {
      await deployWith(name, { one: bashExtension(parts) });
      const { errorMessage, log } = await failure(t, name, {}, errorType);
      const [, id = ''] = /^START RequestId: (\S+)/.exec(log) ?? [];
      assert.equal(errorMessage, `RequestId: ${id} Error: ${reason}`);
      const lines = await linesOf(name);
      const inits = lines.filter((line) => line.startsWith('INIT_REPORT'));
      assert.equal(inits.length, 2);
      for (const line of inits) assert.match(line, new RegExp(`Error Type: ${errorType}\\n$`));
      const said = errorType === 'Extension.InitError' ? 'Extension.NoKey' : 'Extension.Crash';
      const record = lines.find((line) => line.startsWith('EXTENSION')) ?? '';
      assert.ok(record.startsWith(`EXTENSION\tName: one\tState: ${state}\t`), record);
      assert.ok(record.endsWith(`\tError Type: ${said}\n`), record);
    });

  test('that cannot be started fail the invocation', async () => {
    await deployWith('launch', { one: '#!/bin/sh\n' });
    const { errorMessage } = await failure(t, 'launch', {}, 'Extension.LaunchError');
    assert.match(errorMessage, /Error: fork\/exec \/opt\/extensions\/one: permission denied$/);
    const lines = await linesOf('launch');
    assert.ok(
      lines.includes(
        'EXTENSION\tName: one\tState: LaunchError\tEvents: []\tError Type: PermissionDenied\n',
      ),
    );
  });

  test('are ten at most', async () => {
    const names = Array.from({ length: 11 }, (_, index) => [`e${index}`, bashExtension({})]);
    await deployWith('many', Object.fromEntries(names) as Record<string, ZipContent>); // of the pairs above
    await failure(t, 'many', {}, 'Extension.TooManyExtensions');
  });

  test('that end in the middle of an invocation fail it', async () => {
    const handle = 'case $event in *INVOKE*) exit 5 ;; esac';
    await deployWith(
      'dies',
      { one: bashExtension({ handle }) },
      { handle: 'sleep 100; answer 1' },
      60,
    );
    const { errorMessage } = await failure(t, 'dies', {}, 'Extension.Crash');
    assert.match(errorMessage, /Error: exit code 5$/);
  });

  test('hear why the environment ends: the runtime has failed, or time is over', async () => {
    const handle = 'case $event in *1*) exit 3 ;; *2*) sleep 100 ;; esac; answer "$event"';
    await deployWith('reasons', { one: bashExtension({}) }, { handle }, 1);
    const { errorMessage } = await failure(t, 'reasons', 1, 'Runtime.ExitError');
    assert.match(errorMessage, /Error: Runtime exited with error: exit status 3$/);
    await failure(t, 'reasons', 2, 'Sandbox.Timedout');
    assert.equal(await result(t, 'reasons', 7), 7);
    for (const reason of ['FAILURE', 'TIMEOUT'])
      await waitFor(`${reason} is told`, async () =>
        (await linesOf('reasons')).some((line) => line.includes(`"shutdownReason":"${reason}"`)),
      );
  });

  test('come with the runtime’s SIGTERM; without any there is none', async () => {
    const events = ['SHUTDOWN'];
    await deployWith('term', { one: bashExtension({ events }) }, {}, 3, TERMINATED);
    await deployCustom(t, 'no-term', TERMINATED);
    for (const name of ['term', 'no-term']) {
      await result(t, name, 1);
      await t.client.send(new DeleteFunctionCommand({ FunctionName: name }));
    }
    await waitFor('it is told', async () => (await linesOf('term')).includes('got SIGTERM\n'));
    await waitFor('and the extension', async () =>
      (await linesOf('term')).includes('[one] ends\n'),
    );
    assert.ok(!(await linesOf('no-term')).includes('got SIGTERM\n'));
  });
});

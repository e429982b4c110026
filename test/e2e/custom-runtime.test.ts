// Functions that bring their own runtime: a shell script over curl, a Python program, as the service's documents describe them.
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { zipOf } from '../support/bundle-fixtures.ts';
import { bashRuntime, deployCustom, executable } from '../support/custom-runtime.ts';
import { failure, result } from '../support/function-answers.ts';
import { publishLayer } from '../support/layers.ts';
import { readLog } from '../support/read-log.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';
import { waitFor } from '../support/wait-for.ts';

const PYTHON = `#!/usr/bin/python3 -u
import http.client, json, os
api = http.client.HTTPConnection(os.environ['AWS_LAMBDA_RUNTIME_API'])
root = '/2018-06-01/runtime'
while True:
    api.request('GET', root + '/invocation/next')
    response = api.getresponse()
    event = json.loads(response.read())
    request_id = response.headers['Lambda-Runtime-Aws-Request-Id']
    print('handling', event)
    if event.get('fails'):
        body = json.dumps({'errorMessage': 'as asked', 'errorType': 'Asked', 'stackTrace': ['here']})
        headers = {'Lambda-Runtime-Function-Error-Type': 'Function.Asked'}
        api.request('POST', f'{root}/invocation/{request_id}/error', body, headers)
    elif event.get('streams'):
        headers = {'Lambda-Runtime-Function-Response-Mode': 'streaming', 'Transfer-Encoding': 'chunked'}
        parts = iter([b'"part one', b' and part two"'])
        api.request('POST', f'{root}/invocation/{request_id}/response', parts, headers, encode_chunked=True)
    else:
        body = json.dumps({'size': len(json.dumps(event)), 'letters': 'a' * event.get('letters', 0)})
        api.request('POST', f'{root}/invocation/{request_id}/response', body)
    print('status', api.getresponse().read().decode())
`;

suite('a custom runtime', { concurrency: 2 }, () => {
  let t: TestHost;

  before(async () => {
    t = await startTestHost();
  });
  after(() => t[Symbol.asyncDispose]());

  test('answers, keeps its state, and logs line by line between the lines of the platform', async () => {
    await deployCustom(
      t,
      'bash',
      bashRuntime({
        init: 'echo starting; count=0',
        handle: `count=$((count + 1)); echo "event $event" >&2; answer "{\\"count\\":$count,\\"id\\":\\"$id\\"}"; echo "after $(cat /tmp/status)"`,
      }),
    );
    const first = await t.invoke('bash', { a: 'ñ' });
    const [, id = ''] = /^START RequestId: (\S+)/.exec(first.log) ?? [];
    assert.deepEqual(first.payload, { count: 1, id });
    const second = await t.invoke('bash', {});
    const [, secondId = ''] = /^START RequestId: (\S+)/.exec(second.log) ?? [];
    assert.deepEqual(second.payload, { count: 2, id: secondId });
    const lines = (await readLog(t, '/aws/lambda/bash')).map((line) => line.split(/[\t:]/)[0]);
    assert.deepEqual(lines.slice(0, 7), [
      'INIT_START Runtime Version',
      'starting\n',
      'START RequestId',
      'event {"a"',
      'after 202\n',
      'END RequestId',
      'REPORT RequestId',
    ]);
    assert.match(first.log, /Max Memory Used: \d+ MB\tInit Duration: \d+\.\d\d ms\t\n$/);
  });

  test('names its runtime in INIT_START', async () => {
    for (const [runtime, named] of [
      ['provided.al2023', 'provided:al2023.v1'],
      ['provided.al2', 'provided:al2.v1'],
    ] as const) {
      const name = runtime.replace('.', '-');
      await deployCustom(t, name, bashRuntime({}), { Runtime: runtime });
      await result(t, name);
      const [line = ''] = await readLog(t, `/aws/lambda/${name}`);
      assert.match(
        line,
        new RegExp(`^INIT_START Runtime Version: ${named}\\tRuntime Version ARN: arn:`),
      );
    }
  });

  test('in Python answers, fails, streams and takes large payloads', async () => {
    await deployCustom(t, 'python', PYTHON, { MemorySize: 256 });
    assert.deepEqual(await result(t, 'python', { a: 1 }), { size: 8, letters: '' });
    const { errorMessage, log } = await failure(t, 'python', { fails: true }, 'Asked');
    assert.equal(errorMessage, 'as asked');
    assert.match(log, /status \{"status":"OK"\}\nEND/);
    assert.match(log, /Status: error\tError Type: Function\.Asked\n$/);
    assert.equal(await result(t, 'python', { streams: true }), 'part one and part two');
    const large = { text: 'x'.repeat(5_000_000) };
    assert.deepEqual(await result(t, 'python', large), { size: 5_000_012, letters: '' });
    const tooMuch = await failure(
      t,
      'python',
      { letters: 6_291_556 },
      'Function.ResponseSizeTooLarge',
    );
    assert.match(tooMuch.log, /RequestEntityTooLarge/, 'the runtime hears of it, and goes on');
    const starts = (await readLog(t, '/aws/lambda/python')).filter((line) =>
      line.startsWith('INIT_START'),
    );
    assert.equal(starts.length, 1, 'all of it in one environment');
  });

  test('does not see a large payload that is no JSON', async () => {
    await deployCustom(t, 'large', bashRuntime({}));
    await assert.rejects(t.invoke('large', {}, { Payload: Buffer.from('{'.repeat(10_000)) }), {
      name: 'InvalidRequestContentException',
    });
    assert.equal(await result(t, 'large', 7), 7);
  });

  test('has exactly the variables of the service, and the address of its own API', async () => {
    const show =
      'answer "$(env -0 | sort -z | tr "\\\\0" "\\\\n" | sed "s/\\"/?/g" | sed "s/.*/\\"&\\",/" | tr -d "\\\\n" | sed "s/^/[/; s/,$/]/")"';
    const more = { Environment: { Variables: { OWN: 'two words', LANG: 'C' } } };
    await deployCustom(t, 'variables', bashRuntime({ handle: show }), more);
    const lines = (await result(t, 'variables')) as string[]; // as its runtime answers
    const env = Object.fromEntries(
      lines.map((line) => line.split(/=(.*)/).slice(0, 2) as [string, string]),
    ); // each holds a sign
    assert.match(env['AWS_LAMBDA_RUNTIME_API'] ?? '', /^127\.0\.0\.1:\d+$/);
    assert.equal(env['_HANDLER'], 'any.thing:at-all');
    assert.equal(env['LAMBDA_TASK_ROOT'], '/var/task');
    assert.equal(env['OWN'], 'two words');
    assert.equal(env['LANG'], 'C');
    assert.equal(env['AWS_EXECUTION_ENV'], undefined);
    // The last three are those of bash itself.
    const known =
      /^(AWS_|LAMBDA_|_AWS_XRAY_|_HANDLER$|OWN$|LANG$|LD_LIBRARY_PATH$|PATH$|TZ$|PWD$|SHLVL$|_$)/;
    assert.deepEqual(
      Object.keys(env).filter((name) => !known.test(name)),
      [],
    );
  });

  test('may come from a layer', async () => {
    const layer = await publishLayer(t.client, 'runtime', {
      bootstrap: executable(bashRuntime({ handle: 'answer "\\"of the layer\\""' })),
    });
    await t.deploy(
      'layered',
      {},
      {
        Runtime: 'provided.al2023',
        Handler: 'x',
        Code: { ZipFile: await zipOf({ 'handler.txt': 'code' }) },
        Layers: [layer],
      },
    );
    assert.equal(await result(t, 'layered'), 'of the layer');
  });

  test('stands still between events', async () => {
    const init = '(while :; do date +%s%N >> /tmp/ticks; sleep 0.01; done) &';
    const handle = 'wc -l < /tmp/ticks > /tmp/n; answer "$(cat /tmp/n)"';
    await deployCustom(t, 'ticking', bashRuntime({ init, handle }));
    await result(t, 'ticking');
    const before = (await result(t, 'ticking')) as number; // as its runtime answers
    // Time itself is the subject: half a second, in which some 40 ticks would have been counted.
    await sleep(500);
    const ticks = ((await result(t, 'ticking')) as number) - before; // the same
    assert.ok(ticks < 25, `${ticks} ticks while frozen`);
  });

  test('that takes long to ask for its next event is not given one', async () => {
    const init = 'me=$RANDOM$RANDOM$RANDOM';
    const handle = 'answer "$me"; [ -e /tmp/went ] || { touch /tmp/went; sleep 1; }';
    await deployCustom(t, 'slow', bashRuntime({ init, handle }));
    const plain = { LogType: 'None' } as const;
    const [a, b] = [await t.invoke('slow', {}, plain), await t.invoke('slow', {}, plain)];
    assert.notEqual(a.payload, b.payload, 'another environment serves the second');
    await waitFor('both logs are there', async () => {
      const lines = await readLog(t, '/aws/lambda/slow');
      return lines.filter((line) => line.startsWith('REPORT')).length === 2;
    });
  });
});

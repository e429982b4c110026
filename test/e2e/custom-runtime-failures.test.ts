// Custom runtimes that cannot be started, fail their init, end or hang: what the caller and the log hear.
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { bashRuntime, deployCustom } from '../support/custom-runtime.ts';
import { failure, result } from '../support/function-answers.ts';
import { readLog } from '../support/read-log.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';

const OTHER_MACHINE = { x64: 183, arm64: 62 } as const;

/** The head of a program for another machine. */
function foreignProgram(): Buffer {
  const head = Buffer.alloc(4096);
  head.write('\x7fELF\x02\x01\x01', 'latin1');
  head.writeUInt16LE(process.arch === 'arm64' ? OTHER_MACHINE.arm64 : OTHER_MACHINE.x64, 18);
  return head;
}

suite('a custom runtime that fails', { concurrency: 2 }, () => {
  let t: TestHost;

  before(async () => {
    t = await startTestHost();
  });
  after(() => t[Symbol.asyncDispose]());

  /** The failure's text without the request id, and what INIT_REPORT says. */
  async function failed(name: string, errorType: string) {
    const { errorMessage, log } = await failure(t, name, {}, errorType);
    const [, id = ''] = /^START RequestId: (\S+)/.exec(log) ?? [];
    const lines = await readLog(t, `/aws/lambda/${name}`);
    const inits = lines
      .filter((line) => line.startsWith('INIT_REPORT'))
      .map((line) => line.replace(/^INIT_REPORT Init Duration: [\d.]+ ms\t/, '').trimEnd());
    return { text: errorMessage.replace(id, 'ID'), log, inits, lines };
  }

  const NO_START = [
    [
      'missing',
      undefined,
      "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]",
    ],
    [
      'not-executable',
      { content: bashRuntime({}), mode: 0o100644 },
      'fork/exec /var/task/bootstrap: permission denied',
    ],
    [
      'other-machine',
      { content: foreignProgram(), mode: 0o100755 },
      'fork/exec /var/task/bootstrap: exec format error',
    ],
    ['no-first-line', 'echo hello\n', 'fork/exec /var/task/bootstrap: exec format error'],
    [
      'windows-line',
      bashRuntime({}).replace('#!/bin/bash\n', '#!/bin/bash\r\n'),
      'fork/exec /var/task/bootstrap: no such file or directory',
    ],
  ] as const;

  for (const [name, bootstrap, reason] of NO_START)
    test(`to be startable: ${name}`, async () => {
      if (bootstrap === undefined)
        await t.deploy(name, { 'no-bootstrap': '' }, { Runtime: 'provided.al2', Handler: 'x' });
      else await deployCustom(t, name, bootstrap);
      const { text, log, inits } = await failed(name, 'Runtime.InvalidEntrypoint');
      assert.equal(text, `RequestId: ID Error: ${reason}`);
      assert.match(log, /Status: error\tError Type: Runtime\.InvalidEntrypoint\n$/);
      const status = 'Status: error\tError Type: Runtime.InvalidEntrypoint';
      assert.deepEqual(inits, [`Phase: init\t${status}`, `Phase: invoke\t${status}`]);
    });

  test('in its init, and says so', async () => {
    const body = '{"errorMessage":"no database","errorType":"Odd"}';
    const init = `post init/error '${body}' -H 'Lambda-Runtime-Function-Error-Type: Runtime.NoDatabase'; exit 1`;
    await deployCustom(t, 'init-error', bashRuntime({ init }));
    const { text, log, inits } = await failed('init-error', 'Odd');
    assert.equal(text, 'no database');
    assert.match(log, /Status: error\tError Type: Runtime\.NoDatabase\n$/);
    const status = 'Status: error\tError Type: Runtime.NoDatabase';
    assert.deepEqual(inits, [`Phase: init\t${status}`, `Phase: invoke\t${status}`]);
  });

  for (const [name, code, text] of [
    ['exits-at-init', 'exit 3', 'Runtime exited with error: exit status 3'],
    ['ends-at-init', 'exit 0', 'Runtime exited without providing a reason'],
    ['killed-at-init', 'kill -9 $$', 'Runtime exited with error: signal: killed'],
    ['not-found-at-init', 'exec /no/such/thing', 'Runtime exited with error: exit status 127'],
  ] as const)
    test(`in its init, without a word: ${code}`, async () => {
      await deployCustom(t, name, bashRuntime({ init: `echo trying; ${code}` }));
      const { text: said, inits, lines } = await failed(name, 'Runtime.ExitError');
      assert.equal(said, `RequestId: ID Error: ${text}`);
      const status = 'Status: error\tError Type: Runtime.ExitError';
      assert.deepEqual(inits, [`Phase: init\t${status}`, `Phase: invoke\t${status}`]);
      assert.equal(lines.filter((line) => line === 'trying\n').length, 2, 'init is run again');
    });

  for (const [name, code, text] of [
    ['exits', 'exit 7', 'Runtime exited with error: exit status 7'],
    ['ends', 'exit 0', 'Runtime exited without providing a reason'],
    ['crashes', 'kill -SEGV $$', 'Runtime exited with error: signal: segmentation fault'],
    [
      'dies-while-it-answers',
      `exec 5<>/dev/tcp/127.0.0.1/\${AWS_LAMBDA_RUNTIME_API#*:}
       printf 'POST /2018-06-01/runtime/invocation/%s/response HTTP/1.1\\r\\nHost: h\\r\\nContent-Length: 99\\r\\n\\r\\nhalf' "$id" >&5
       sleep 0.2; kill -9 $$`,
      'Runtime exited with error: signal: killed',
    ],
  ] as const)
    test(`in the middle of an event: ${name}`, async () => {
      const handle = `[ "$event" = '"go on"' ] || { ${code}\n}; answer "$event"`;
      await deployCustom(t, name, bashRuntime({ handle }));
      const { text: said, log } = await failed(name, 'Runtime.ExitError');
      assert.equal(said, `RequestId: ID Error: ${text}`);
      assert.match(log, /\nEND .*\nREPORT .*Status: error\tError Type: Runtime\.ExitError\n$/);
      assert.equal(
        await result(t, name, 'go on'),
        'go on',
        'the next event has another environment',
      );
    });

  test('after its answer, which the caller has nevertheless', async () => {
    await deployCustom(t, 'afterwards', bashRuntime({ handle: 'answer "$event"; exit 1' }));
    for (const event of [1, 2, 3]) {
      const { payload, log } = await t.invoke('afterwards', event);
      assert.equal(payload, event);
      assert.match(log, /\nREPORT /);
    }
  });

  test('to answer in time', async () => {
    const handle = '[ "$event" = 1 ] && sleep 1000; answer "$event"';
    await deployCustom(t, 'hangs', bashRuntime({ handle }), { Timeout: 1 });
    const { text, log } = await timedOut('hangs', 1);
    assert.equal(text, 'RequestId: ID Error: Task timed out after 1.00 seconds');
    assert.match(log, /\tDuration: 1000\.00 ms\t.*Status: timeout\n$/);
    assert.equal(await result(t, 'hangs', 2), 2);
  });

  async function timedOut(name: string, event: unknown) {
    const { errorMessage, log } = await failure(t, name, event, 'Sandbox.Timedout');
    const [, id = ''] = /^START RequestId: (\S+)/.exec(log) ?? [];
    return { text: errorMessage.replace(id, 'ID'), log };
  }

  test('to ask for its next event after its answer, until the deadline', async () => {
    const handle = 'answer "$event"; sleep 1000';
    await deployCustom(t, 'lingers', bashRuntime({ handle }), { Timeout: 1 });
    const { payload, log } = await t.invoke('lingers', 5);
    assert.equal(payload, 5);
    assert.match(log, /Status: timeout\n$/);
  });

  test('ever to ask for an event: init is stopped, run again and stopped by the timeout', async () => {
    await deployCustom(t, 'never', '#!/bin/sh\nexec sleep 1000\n', { Timeout: 1 });
    const { text } = await timedOut('never', {});
    assert.equal(text, 'RequestId: ID Error: Task timed out after 1.00 seconds');
    const lines = await readLog(t, '/aws/lambda/never');
    const inits = lines.filter((line) => line.startsWith('INIT_REPORT'));
    assert.deepEqual(inits, [
      'INIT_REPORT Init Duration: 10000.00 ms\tPhase: init\tStatus: timeout\n',
      'INIT_REPORT Init Duration: 1000.00 ms\tPhase: invoke\tStatus: timeout\n',
    ]);
  });

  test('to keep within its memory', async () => {
    const handle = `[ "$event" = 1 ] && { a=$(head -c 300000000 /dev/zero | tr '\\0' x); }; answer "$event"`;
    await deployCustom(t, 'greedy', bashRuntime({ handle }));
    const { errorMessage, log } = await failure(t, 'greedy', 1, 'Runtime.OutOfMemory');
    assert.match(errorMessage, /Error: Runtime exited with error: signal: killed$/);
    assert.match(
      log,
      /Max Memory Used: 128 MB\tInit Duration: .*Error Type: Runtime\.OutOfMemory\n$/,
    );
    assert.equal(await result(t, 'greedy', 2), 2);
  });
});

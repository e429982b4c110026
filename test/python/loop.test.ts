// The loop of the Python bootstrap: events sent ahead run once and in turn, those behind one that hangs run elsewhere; the end of an
// environment is announced to the function.
import assert from 'node:assert/strict';
import { UpdateFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import { result } from '../support/function-answers.ts';
import { readLog } from '../support/read-log.ts';
import { startTestHost } from '../support/test-host.ts';
import { waitFor } from '../support/wait-for.ts';
import { deployPython, testPython } from './support.ts';

const CALLERS = 16;
/** So many short ones that events are sent ahead. */
const CALM = 400;

testPython('events that come with one that hangs run once each, none behind it', async (python) => {
  await using t = await startTestHost();
  await deployPython(
    t,
    'f',
    python,
    `import time
def handler(event, context):
    print("ran", event["n"])
    if event.get("hangs"):
        time.sleep(60)
    return event["n"]`,
    { Timeout: 4 },
  );
  let last = 0;
  const short = async () => {
    const n = (last += 1);
    assert.equal(await result(t, 'f', { n }), n);
  };
  const calm = async () => {
    for (let i = 0; i < CALM / CALLERS; i += 1) await short();
  };
  const hanging: Promise<unknown>[] = [];
  for (let wave = 0; wave < 3; wave += 1) {
    await Promise.all(Array.from({ length: CALLERS }, calm));
    const together = [short(), short()];
    hanging.push(t.invoke('f', { n: (last += 1), hangs: true }));
    for (let i = 0; i < 14; i += 1) together.push(short());
    await Promise.all(together);
  }
  await Promise.all(hanging);
  const counts = new Map<number, number>();
  for (const line of await readLog(t, '/aws/lambda/f')) {
    const n = /^ran (\d+)\n$/.exec(line)?.[1];
    if (n !== undefined) counts.set(Number(n), (counts.get(Number(n)) ?? 0) + 1);
  }
  assert.equal(counts.size, last);
  for (const [n, count] of counts) assert.equal(count, 1, `event ${n}`);
  assert.deepEqual(t.reports, []);
});

testPython('a handler of SIGTERM has its turn when the environment ends', async (python) => {
  await using t = await startTestHost();
  await deployPython(
    t,
    'f',
    python,
    `import signal, sys
def ended(number, frame):
    print("told of", signal.Signals(number).name)
signal.signal(signal.SIGTERM, ended)
def handler(event, context):
    return 1`,
  );
  assert.equal(await result(t, 'f'), 1);
  // A change of the configuration supersedes its environments.
  await t.client.send(new UpdateFunctionConfigurationCommand({ FunctionName: 'f', Timeout: 9 }));
  await waitFor('the function to be told', async () =>
    (await readLog(t, '/aws/lambda/f')).includes('told of SIGTERM\n'),
  );
});

testPython('the trace id is there for its invocation only', async (python) => {
  await using t = await startTestHost();
  await deployPython(
    t,
    'f',
    python,
    `import os
def handler(event, context):
    return os.environ.get("_X_AMZN_TRACE_ID")`,
  );
  const seen = (await result(t, 'f')) as string; // as the handler returns
  assert.match(seen, /^Root=1-[0-9a-f]{8}-[0-9a-f]{24}/);
  assert.notEqual(await result(t, 'f'), seen);
});

testPython(
  'what a child process writes on descriptor 3 cannot be taken for an answer',
  async (python) => {
    await using t = await startTestHost();
    await deployPython(
      t,
      'f',
      python,
      `import os, subprocess
def handler(event, context):
    listed = subprocess.run(["/bin/ls", "/proc/self/fd"], capture_output=True, text=True).stdout.split()
    pid = os.fork()
    if pid == 0:
        return "from the child"
    os.waitpid(pid, 0)
    return listed`,
    );
    const descriptors = (await result(t, 'f')) as string[]; // as the handler returns
    // 0 to 2, and the directory that ls reads, which is the first free one.
    assert.deepEqual(descriptors, ['0', '1', '2', '3']);
  },
);

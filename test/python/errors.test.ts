// Failures of Python functions: what callers get and what the log says, word for word.
import assert from 'node:assert/strict';
import { failure, result } from '../support/function-answers.ts';
import { readLog } from '../support/read-log.ts';
import { startTestHost } from '../support/test-host.ts';
import { waitFor } from '../support/wait-for.ts';
import { deployPython, testEachPython, testPython } from './support.ts';

const WARNING =
  /^\[WARNING\]\t\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\t\tLAMBDA_WARNING: Unhandled exception\. The most likely cause is an issue in the function code\. /;

testEachPython(
  'a handler that cannot be loaded fails the init with its own error',
  async (python) => {
    await using t = await startTestHost();
    const files = {
      'imports.py': 'import no_such_module',
      'syntax.py': 'def handler(event, context):\n    return (\n',
      'raises.py': 'raise KeyError("at the top")',
      'fine.py': 'value = 1',
    };
    const cases = [
      [
        'imports.handler',
        'Runtime.ImportModuleError',
        /^Unable to import module 'imports': No module named 'no_such_module'$/,
      ],
      [
        'absent.handler',
        'Runtime.ImportModuleError',
        /^Unable to import module 'absent': No module named 'absent'$/,
      ],
      [
        'deep/absent.handler',
        'Runtime.ImportModuleError',
        /^Unable to import module 'deep\/absent': No module named 'deep'$/,
      ],
      ['fine.missing', 'Runtime.HandlerNotFound', /^Handler 'missing' missing on module 'fine'$/],
      [
        'syntax.handler',
        'Runtime.UserCodeSyntaxError',
        /^Syntax error in module 'syntax': .+ \(syntax\.py, line \d\)$/,
      ],
      [
        'handler',
        'Runtime.MalformedHandlerName',
        /^Bad handler 'handler': not enough values to unpack \(expected 2, got 1\)$/,
      ],
      [
        'sys.handler',
        'Runtime.BuiltInModuleConflict',
        /^Cannot use built-in module sys as a handler module$/,
      ],
      ['raises.handler', 'KeyError', /^'at the top'$/],
    ] as const;
    for (const [handler, type, message] of cases) {
      const name = handler.replaceAll(/\W/g, '-');
      await deployPython(t, name, python, files, { Handler: handler });
      const { errorMessage } = await failure(t, name, {}, type);
      assert.match(errorMessage, message);
      const said = await readLog(t, `/aws/lambda/${name}`);
      // The static code runs twice: once ahead, once for the invocation that waits.
      assert.equal(said.filter((each) => WARNING.test(each)).length, 2, said.join(''));
      const told = `[ERROR] ${type}: ${errorMessage}\nTraceback (most recent call last):\n`;
      assert.equal(said.filter((each) => each.startsWith(told)).length, 2, said.join(''));
    }
  },
);

testEachPython('an exception becomes the error body and one event of the log', async (python) => {
  await using t = await startTestHost();
  await deployPython(
    t,
    'f',
    python,
    `class Trouble(Exception):
    pass
def deeper(event):
    raise Trouble("it says " + event["text"])
def handler(event, context):
    deeper(event)`,
  );
  const { payload, functionError, log } = await t.invoke('f', { text: 'nö' });
  assert.equal(functionError, 'Unhandled');
  const body = payload as { stackTrace: string[]; requestId: string }; // the form of every error
  assert.deepEqual(Object.keys(body), ['errorMessage', 'errorType', 'requestId', 'stackTrace']);
  assert.partialDeepStrictEqual(body, { errorMessage: 'it says nö', errorType: 'Trouble' });
  assert.ok(log.includes(`START RequestId: ${body.requestId} `));
  assert.equal(body.stackTrace.length, 2);
  assert.match(
    body.stackTrace[0] ?? '',
    /^ {2}File "\/.*index\.py", line 6, in handler\n {4}deeper\(event\)\n/,
  );
  assert.match(body.stackTrace[1] ?? '', /line 4, in deeper\n {4}raise Trouble\(/);
  const trace = body.stackTrace.join('').trimEnd().split('\n');
  const blanks = (line: string) => line.replace(/^ +/, (found) => '\u00a0'.repeat(found.length));
  const event = [
    '[ERROR] Trouble: it says nö',
    'Traceback (most recent call last):',
    ...trace.map(blanks),
  ];
  assert.ok(log.includes(event.join('\n')), log);
  // It goes on serving.
  assert.equal((await t.invoke('f', { text: 'again' })).functionError, 'Unhandled');
});

testEachPython('a process that ends is told as by any runtime', async (python) => {
  await using t = await startTestHost();
  await deployPython(
    t,
    'f',
    python,
    `import ctypes, os, signal, sys, time
WAYS = {
    "exit0": lambda: sys.exit(0),
    "exit3": lambda: sys.exit(3),
    "exit-text": lambda: sys.exit("a reason"),
    "os-exit": lambda: os._exit(7),
    "segfault": lambda: ctypes.string_at(0),
    "abort": lambda: os.abort(),
    "killed": lambda: os.kill(os.getpid(), signal.SIGTERM),
    "interrupt": lambda: raise_it(KeyboardInterrupt()),
    "sleep": lambda: time.sleep(60),
    "spin": lambda: spin(),
    "leak": lambda: leak(),
    "pid": lambda: os.getpid(),
    "large": lambda: "x" * 7_000_000,
}
def raise_it(error):
    raise error
def spin():
    while True:
        pass
def leak():
    kept = []
    while True:
        kept.append(bytearray(b"x") * 4_000_000)
def handler(event, context):
    print("before", event)
    return WAYS[event]()`,
    { Timeout: 2, MemorySize: 192 },
  );
  const id = '[0-9a-f-]{36}';
  const cases = [
    ['exit0', 'Runtime.ExitError', 'Runtime exited without providing a reason'],
    ['exit3', 'Runtime.ExitError', 'Runtime exited with error: exit status 3'],
    ['exit-text', 'Runtime.ExitError', 'Runtime exited with error: exit status 1'],
    ['os-exit', 'Runtime.ExitError', 'Runtime exited with error: exit status 7'],
    ['segfault', 'Runtime.ExitError', 'Runtime exited with error: signal: segmentation fault'],
    ['abort', 'Runtime.ExitError', 'Runtime exited with error: signal: aborted'],
    ['killed', 'Runtime.ExitError', 'Runtime exited with error: signal: terminated'],
    ['sleep', 'Sandbox.Timedout', 'Task timed out after 2.00 seconds'],
    ['spin', 'Sandbox.Timedout', 'Task timed out after 2.00 seconds'],
    ['leak', 'Runtime.OutOfMemory', 'Runtime exited with error: signal: killed'],
  ] as const;
  for (const [way, type, message] of cases) {
    const { errorMessage, log } = await failure(t, 'f', way, type);
    assert.match(errorMessage, new RegExp(`^RequestId: ${id} Error: ${message}$`), way);
    assert.ok(log.includes(`before ${way}\n`), `${way}: ${log}`);
    if (way === 'exit-text') assert.ok(log.includes('a reason\n'), log);
  }
  const { errorMessage } = await failure(t, 'f', 'large', 'Function.ResponseSizeTooLarge');
  assert.match(errorMessage, /6291556/);
  assert.equal(typeof (await result(t, 'f', 'pid')), 'number');
});

testPython('an exit while the module is loaded is an exit of the runtime', async (python) => {
  await using t = await startTestHost();
  await deployPython(t, 'f', python, 'import sys\nprint("loading")\nsys.exit(4)');
  const { errorMessage } = await failure(t, 'f', {}, 'Runtime.ExitError');
  assert.match(errorMessage, /exit status 4$/);
});

testPython(
  'what is JSON but too much for Python is an error of its own; what is no JSON never runs',
  async (python) => {
    await using t = await startTestHost();
    await deployPython(t, 'f', python, 'def handler(event, context): return len(event)');
    const Payload = Buffer.from(`${'['.repeat(150_000)}${']'.repeat(150_000)}`);
    const { payload } = await t.invoke('f', undefined, { Payload });
    const { errorType, errorMessage } = payload as Record<string, string>; // the form of every error
    assert.equal(errorType, 'Runtime.UnmarshalError');
    assert.match(errorMessage ?? '', /^Unable to unmarshal input: /);
    for (const text of [`["${'x'.repeat(5_000)}", NaN]`, `{"a": "${'x'.repeat(5_000)}"`])
      await assert.rejects(t.invoke('f', undefined, { Payload: Buffer.from(text) }), {
        name: 'InvalidRequestContentException',
      });
  },
);

testPython(
  'threads and child processes left behind stand still between invocations',
  async (python) => {
    await using t = await startTestHost();
    await deployPython(
      t,
      'f',
      python,
      `import os, subprocess, tempfile, threading, time
counts = {"thread": 0}
path = tempfile.gettempdir() + "/beats"
def count():
    while True:
        counts["thread"] += 1
        time.sleep(0.01)
def beats():
    return {"thread": counts["thread"], "child": os.path.getsize(path) if os.path.exists(path) else 0}
def handler(event, context):
    before = beats()
    if event.get("start") == "thread":
        threading.Thread(target=count, daemon=True).start()
    if event.get("start") == "child":
        subprocess.Popen(["/bin/sh", "-c", 'while :; do printf x >> "$1"; sleep 0.01; done', "sh", path])
    while beats()[event["of"]] <= before[event["of"]]:
        time.sleep(0.005)
    return {"before": before, "after": beats()}`,
      { Timeout: 30 },
    );
    for (const who of ['thread', 'child'] as const) {
      const seen = async (event: object) =>
        (await result(t, 'f', { of: who, ...event })) as Record<
          'before' | 'after',
          Record<string, number>
        >; // as the handler returns
      const first = await seen({ start: who });
      // The subject is time itself: the second has room for up to a hundred beats; it is stopped after a tenth of one.
      const end = performance.now() + 1_000;
      await waitFor('a second to pass', () => performance.now() > end);
      const second = await seen({});
      const inBetween = (second.before[who] ?? 0) - (first.after[who] ?? 0);
      assert.ok(inBetween <= 20, `${inBetween} beats of the ${who} in between`);
    }
  },
);

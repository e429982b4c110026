// What Python functions log: the root logger in both formats, levels, print, child processes.
import assert from 'node:assert/strict';
import type { CreateFunctionCommandInput } from '@aws-sdk/client-lambda';
import { readLog } from '../support/read-log.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';
import { deployPython, testEachPython, testPython } from './support.ts';

const CODE = `import json, logging, os, subprocess, sys, threading
log = logging.getLogger("shop")
def trouble():
    try:
        raise LookupError("gone")
    except LookupError:
        log.exception("failed with %s", "reason", extra={"order": 7})
def forked():
    pid = os.fork()
    if pid == 0:
        print("of the child")
        log.error("error of the child")
        os._exit(0)
    os.waitpid(pid, 0)
def forked_twice():
    pid = os.fork()
    if pid == 0:
        grandchild = os.fork()
        if grandchild == 0:
            print("of a child's child")
            os._exit(0)
        os.waitpid(grandchild, 0)
        os._exit(0)
    os.waitpid(pid, 0)
WAYS = {
    "levels": lambda: [getattr(log, each)(each + " %d", 1) for each in ("debug", "info", "warning", "error", "critical")],
    "trouble": trouble,
    "print": lambda: (print("one", "line"), print("two\\nlines"), print("no end", end="")),
    "error-stream": lambda: print("to stderr", file=sys.stderr),
    "bytes": lambda: sys.stdout.buffer.write(b"as bytes\\n"),
    "own-child": lambda: subprocess.run(["/bin/echo", "by echo"]),
    "forked": forked,
    "forked-twice": forked_twice,
    "order": lambda: (print("first"), log.error("second"), print("third")),
    "turns": lambda: [write(str(n)) for n in range(200) for write in (print, log.error)],
    "many-lines": lambda: log.error("one\\ntwo"),
    "thread": lambda: run(lambda: print("by a thread")),
    "raises": lambda: {}["key"],
    "object": lambda: log.error("with", extra={"what": object}),
    "json-line": lambda: print(json.dumps({"level": "DEBUG", "message": "filtered"})),
    "context": lambda: None,
}
def run(target):
    thread = threading.Thread(target=target)
    thread.start()
    thread.join()
def handler(event, context):
    if event == "context":
        context.log("raw text")
    WAYS[event]()`;

/** The events of one invocation, without the platform's, as a tail shows them. */
async function logged(t: TestHost, event: string): Promise<string> {
  const { log } = await t.invoke('f', event);
  return log
    .split(/(?<=\n)/)
    .filter((line) => !/^(INIT_START|START|END|REPORT) /.test(line) && line.trim() !== '')
    .filter((line) => !line.startsWith('{"time":'))
    .join('');
}

async function hostWith(
  python: Parameters<typeof deployPython>[2],
  more: Partial<CreateFunctionCommandInput> = {},
): Promise<TestHost> {
  const t = await startTestHost();
  await deployPython(t, 'f', python, CODE, more);
  return t;
}

testEachPython('the text format', async (python) => {
  await using t = await hostWith(python);
  const stamp = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`;
  const id = '[0-9a-f-]{36}';
  const line = (level: string, text: string) => `\\[${level}\\]\t${stamp}\t${id}\t${text}\n`;
  const levels = ['WARNING', 'ERROR', 'CRITICAL'];
  const shown = levels.map((level) => line(level, `${level.toLowerCase()} 1`)).join('');
  assert.match(await logged(t, 'levels'), new RegExp(`^${shown}$`));
  assert.match(
    await logged(t, 'trouble'),
    new RegExp(
      `^${line('ERROR', 'failed with reason')}Traceback \\(most recent call last\\):\n {2}File ".*index.py", line \\d+, in trouble\n[^]*LookupError: gone\n$`,
    ),
  );
  assert.equal(await logged(t, 'print'), 'one line\ntwo\nlines\nno end\n');
  assert.equal(await logged(t, 'error-stream'), 'to stderr\n');
  assert.equal(await logged(t, 'bytes'), 'as bytes\n');
  assert.equal(await logged(t, 'own-child'), 'by echo\n');
  assert.equal(await logged(t, 'thread'), 'by a thread\n');
  assert.match(await logged(t, 'order'), /^first\n\[ERROR\].*\tsecond\nthird\n$/);
  assert.match(await logged(t, 'forked'), /^of the child\n\[ERROR\].*\terror of the child\n$/);
  assert.equal(await logged(t, 'forked-twice'), "of a child's child\n");
  assert.match(await logged(t, 'context'), /^raw text\n$/);
});

testPython('a message of several lines is one event', async (python) => {
  await using t = await hostWith(python);
  await t.invoke('f', 'many-lines');
  const events = await readLog(t, '/aws/lambda/f');
  assert.equal(events.filter((each) => /^\[ERROR\]\t.*\tone\ntwo\n$/.test(each)).length, 1);
});

testPython(
  'what is printed and what is logged is found in the order in which it was written',
  async (python) => {
    await using t = await hostWith(python);
    await t.invoke('f', 'turns');
    const events = await readLog(t, '/aws/lambda/f');
    const numbers = events.flatMap((each) => /(?:^|\t)(\d+)\n$/.exec(each)?.[1] ?? []);
    assert.deepEqual(
      numbers,
      Array.from({ length: 400 }, (_, at) => String(Math.floor(at / 2))),
    );
    const printed = events.flatMap((each, at) => (/^\d+\n$/.test(each) ? [at] : []));
    assert.ok(printed.every((at) => events[at + 1]?.startsWith('[ERROR]')));
  },
);

testPython('AWS_LAMBDA_LOG_LEVEL sets the level, however it is written', async (python) => {
  const Variables = { AWS_LAMBDA_LOG_LEVEL: 'trace' };
  await using t = await hostWith(python, { Environment: { Variables } });
  assert.match(await logged(t, 'levels'), /^\[DEBUG\].*\tdebug 1\n\[INFO\].*\tinfo 1\n\[WARNING\]/);
});

testEachPython('the JSON format', async (python) => {
  await using t = await hostWith(python, {
    LoggingConfig: { LogFormat: 'JSON', ApplicationLogLevel: 'INFO', SystemLogLevel: 'WARN' },
  });
  const records = async (event: string) =>
    (await logged(t, event))
      .split('\n')
      .filter(Boolean)
      .map((each) => JSON.parse(each) as Record<string, unknown>); // each line is an object
  const levels = await records('levels');
  assert.deepEqual(
    levels.map(({ level, message, logger }) => [level, message, logger]),
    [
      ['INFO', 'info 1', 'shop'],
      ['WARNING', 'warning 1', 'shop'],
      ['ERROR', 'error 1', 'shop'],
      ['CRITICAL', 'critical 1', 'shop'],
    ],
  );
  const [first = {}] = levels;
  assert.deepEqual(Object.keys(first), ['timestamp', 'level', 'message', 'logger', 'requestId']);
  assert.match(String(first['timestamp']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  assert.match(String(first['requestId']), /^[0-9a-f-]{36}$/);
  const [failed = {}] = await records('trouble');
  assert.partialDeepStrictEqual(failed, {
    message: 'failed with reason',
    errorType: 'LookupError',
    errorMessage: 'gone',
    order: 7,
  });
  assert.match(String(failed['location']), /index\.py:trouble:\d+$/);
  assert.match(String((failed['stackTrace'] as string[])[0]), /in trouble\n/); // as the formatter writes it
  const [shown = {}] = await records('object');
  assert.equal(shown['what'], "<class 'object'>");
  const [raised = {}] = await records('raises');
  assert.deepEqual(Object.keys(raised), [
    'timestamp',
    'log_level',
    'errorMessage',
    'errorType',
    'requestId',
    'stackTrace',
  ]);
  assert.partialDeepStrictEqual(raised, {
    log_level: 'ERROR',
    errorType: 'KeyError',
    errorMessage: "'key'",
  });
  assert.equal(await logged(t, 'print'), 'one line\ntwo\nlines\nno end\n');
  // The platform itself filters what is printed as JSON.
  assert.equal(await logged(t, 'json-line'), '');
});

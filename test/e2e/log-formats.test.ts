// LoggingConfig: JSON records of platform and application, each filtered by its level; another log group.
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { CreateFunctionCommandInput } from '@aws-sdk/client-lambda';
import { readLog } from '../support/read-log.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';

const CODE = `export const handler = async ({ fail }) => {
  console.trace('t'); console.debug('d'); console.log({ deep: { n: 1 } }); console.warn('w %d', 5); console.error(new TypeError('e'));
  process.stdout.write('plain\\n');
  process.stdout.write('{"level":"debug","message":"raw debug"}\\n{"level":"ERROR","message":"raw error"}\\n{"message":"raw"}\\n');
  if (fail) process.exit(3);
  return process.env.AWS_LAMBDA_LOG_FORMAT + ' ' + process.env.AWS_LAMBDA_LOG_LEVEL;
};`;

type Json = Readonly<Record<string, unknown>>;

suite('a function with LoggingConfig', () => {
  let t: TestHost;

  before(async () => {
    t = await startTestHost();
  });
  after(() => t[Symbol.asyncDispose]());

  async function run(
    name: string,
    logging: CreateFunctionCommandInput['LoggingConfig'],
    event: object = {},
  ) {
    await t.deploy(name, { 'index.mjs': CODE }, { LoggingConfig: logging });
    const answer = await t.invoke(name, event);
    const lines = (await readLog(t, logging?.LogGroup ?? `/aws/lambda/${name}`)).map((text) =>
      text.trimEnd(),
    );
    return { answer, lines };
  }

  const parsed = (lines: readonly string[]) =>
    lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Json);

  test('JSON writes one object for each event, INFO and above by default', async () => {
    const { answer, lines } = await run('info', { LogFormat: 'JSON' });
    assert.equal(answer.payload, 'JSON INFO');
    const records = parsed(lines);
    assert.deepEqual(
      records.filter(({ type }) => type !== undefined).map(({ type }) => type),
      ['platform.initStart', 'platform.start', 'platform.report'],
    );
    assert.deepEqual(
      records
        .filter(({ type }) => type === undefined)
        .map(({ level, message }) => [level, message]),
      [
        ['INFO', { deep: { n: 1 } }],
        ['WARN', 'w 5'],
        ['ERROR', { errorType: 'TypeError', errorMessage: 'e', stackTrace: stackIn(records) }],
        ['ERROR', 'raw error'],
        [undefined, 'raw'],
      ],
    );
    assert.ok(lines.includes('plain'));
  });

  test('the platform.report record has the figures of the REPORT line', async () => {
    const { lines } = await run('report', { LogFormat: 'JSON' });
    const report = parsed(lines).find(({ type }) => type === 'platform.report') as
      | {
          time: string;
          record: { requestId: string; status: string; metrics: Record<string, number> };
        }
      | undefined; // as: checked member by member below
    assert.ok(report !== undefined);
    assert.equal(new Date(report.time).toISOString(), report.time);
    assert.equal(report.record.status, 'success');
    assert.deepEqual(Object.keys(report.record.metrics), [
      'durationMs',
      'billedDurationMs',
      'memorySizeMB',
      'maxMemoryUsedMB',
      'initDurationMs',
    ]);
    assert.equal(report.record.metrics['memorySizeMB'], 128);
  });

  test('levels filter application and platform apart', async () => {
    const quiet = await run('quiet', {
      LogFormat: 'JSON',
      ApplicationLogLevel: 'ERROR',
      SystemLogLevel: 'WARN',
    });
    assert.equal(quiet.answer.payload, 'JSON ERROR');
    assert.deepEqual(
      parsed(quiet.lines).map(({ level }) => level),
      ['ERROR', 'ERROR'],
    );
    assert.equal(quiet.answer.log.includes('platform.'), false);

    const loud = await run('loud', {
      LogFormat: 'JSON',
      ApplicationLogLevel: 'TRACE',
      SystemLogLevel: 'DEBUG',
    });
    const records = parsed(loud.lines);
    assert.deepEqual(
      records.filter(({ type }) => type !== undefined).map(({ type }) => type),
      [
        'platform.initStart',
        'platform.initReport',
        'platform.start',
        'platform.runtimeDone',
        'platform.report',
      ],
    );
    assert.deepEqual(
      records.map(({ level }) => level).filter((level) => level !== undefined),
      ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'debug', 'ERROR'],
    );
  });

  test('a crash is told at WARN, with its type', async () => {
    const { answer, lines } = await run(
      'crash',
      { LogFormat: 'JSON', SystemLogLevel: 'WARN' },
      { fail: true },
    );
    assert.equal(answer.functionError, 'Unhandled');
    const records = parsed(lines).filter(({ type }) => type !== undefined);
    assert.deepEqual(
      records.map(({ type, record }) => [
        type,
        (record as Json)['status'],
        (record as Json)['errorType'],
      ]),
      [
        ['platform.runtimeDone', 'error', 'Runtime.ExitError'],
        ['platform.report', 'error', 'Runtime.ExitError'],
      ],
    );
  });

  test('another log group is used and told to the function', async () => {
    const { lines } = await run('grouped', { LogGroup: '/shared/one' });
    assert.match(
      lines[0] ?? '',
      /^INIT_START Runtime Version: nodejs:24\.v\d+\tRuntime Version ARN: arn:aws:lambda:us-east-1::runtime:[0-9a-f]{64}$/,
    );
    assert.deepEqual(await readLog(t, '/aws/lambda/grouped'), []);
  });
});

/** The stack is the machine's; that it is one is checked here. */
function stackIn(records: readonly Json[]): unknown {
  const { message } = records.find(({ level }) => level === 'ERROR') ?? {};
  const stack = (message as { stackTrace?: unknown } | undefined)?.stackTrace; // any JSON
  assert.ok(Array.isArray(stack) && String(stack[0]) === 'TypeError: e');
  return stack;
}

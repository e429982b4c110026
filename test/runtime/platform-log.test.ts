// The platform's own log lines, byte for byte.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  endLine,
  initReportLine,
  initStartLine,
  type PlatformLogFormat,
  platformErrorType,
  type Report,
  reportLine,
  startLine,
} from '../../runtime/logs/platform-log.ts';

const ID = 'c793869b-ee49-115b-a5b6-4fd21e8dedac';
const AT = Date.UTC(2026, 10, 27, 10, 15, 30, 123);
const TIME = '2026-11-27T10:15:30.123Z';
const TEXT: PlatformLogFormat = { format: 'Text', level: 'INFO' };
const json = (level: PlatformLogFormat['level']): PlatformLogFormat => ({ format: 'JSON', level });
const parsed = (line: string): unknown => {
  assert.ok(line.endsWith('\n') && !line.slice(0, -1).includes('\n'));
  return JSON.parse(line);
};

const START = {
  functionName: 'f',
  functionVersion: '3',
  runtimeVersion: 'nodejs:24.v21',
  runtimeVersionArn: `arn:aws:lambda:us-east-1::runtime:${'ab'.repeat(32)}`,
  initializationType: 'on-demand',
};

const report = (more: Partial<Report> = {}): Report => ({
  requestId: ID,
  status: 'success',
  errorType: undefined,
  durationMs: 128.834_56,
  memorySizeMb: 128,
  maxMemoryUsedMb: 74,
  initDurationMs: undefined,
  ...more,
});

suite('Text lines', () => {
  test('INIT_START', () => {
    assert.equal(
      initStartLine(TEXT, AT, START),
      `INIT_START Runtime Version: nodejs:24.v21\tRuntime Version ARN: arn:aws:lambda:us-east-1::runtime:${'ab'.repeat(32)}\n`,
    );
  });

  test('START and END', () => {
    assert.equal(startLine(TEXT, AT, ID, '$LATEST'), `START RequestId: ${ID} Version: $LATEST\n`);
    assert.equal(endLine(TEXT, AT, report()), `END RequestId: ${ID}\n`);
  });

  const figures = `REPORT RequestId: ${ID}\tDuration: 128.83 ms\tBilled Duration: 129 ms\tMemory Size: 128 MB\tMax Memory Used: 74 MB\t`;
  const lines: readonly (readonly [what: string, more: Partial<Report>, line: string])[] = [
    ['ends with a tab', {}, `${figures}\n`],
    [
      'bills init with the first invocation',
      { initDurationMs: 166.617 },
      `${figures.replace('129 ms', '296 ms')}Init Duration: 166.62 ms\t\n`,
    ],
    [
      'names a timeout',
      { status: 'timeout', errorType: 'Sandbox.Timedout' },
      `${figures}Status: timeout\n`,
    ],
    [
      'names what the platform found',
      { status: 'error', errorType: 'Runtime.ExitError' },
      `${figures}Status: error\tError Type: Runtime.ExitError\n`,
    ],
    [
      "is silent about the handler's own errors",
      { status: 'error', errorType: 'TypeError' },
      `${figures}\n`,
    ],
  ];
  for (const [what, more, line] of lines)
    test(`REPORT ${what}`, () => {
      assert.equal(reportLine(TEXT, AT, report(more)), line);
    });

  test('bills whole milliseconds, each one begun', () => {
    const billed = (durationMs: number, initDurationMs?: number) =>
      /Billed Duration: (\d+) ms/.exec(
        reportLine(TEXT, AT, report({ durationMs, initDurationMs })),
      )?.[1];
    assert.equal(billed(0.01), '1');
    assert.equal(billed(1), '1');
    assert.equal(billed(1.001), '2');
    assert.equal(billed(1.4, 1.4), '3');
  });

  const init = { phase: 'init', durationMs: 1882.554, initializationType: 'on-demand' } as const;
  test('INIT_REPORT only where init failed, or was no on-demand one', () => {
    assert.equal(
      initReportLine(TEXT, AT, { ...init, status: 'success', errorType: undefined }),
      '',
    );
    assert.equal(
      initReportLine(TEXT, AT, {
        ...init,
        status: 'error',
        errorType: 'Runtime.ImportModuleError',
      }),
      'INIT_REPORT Init Duration: 1882.55 ms\tPhase: init\tStatus: error\tError Type: Runtime.ImportModuleError\n',
    );
    assert.equal(
      initReportLine(TEXT, AT, {
        ...init,
        phase: 'invoke',
        durationMs: 10_000,
        status: 'timeout',
        errorType: undefined,
      }),
      'INIT_REPORT Init Duration: 10000.00 ms\tPhase: invoke\tStatus: timeout\n',
    );
    assert.equal(
      initReportLine(TEXT, AT, {
        ...init,
        initializationType: 'provisioned-concurrency',
        status: 'success',
        errorType: undefined,
      }),
      'INIT_REPORT Init Duration: 1882.55 ms\tPhase: init\tStatus: success\n',
    );
  });
});

suite('JSON records', () => {
  test('platform.initStart', () => {
    assert.deepEqual(parsed(initStartLine(json('INFO'), AT, START)), {
      time: TIME,
      type: 'platform.initStart',
      record: {
        initializationType: 'on-demand',
        phase: 'init',
        runtimeVersion: 'nodejs:24.v21',
        runtimeVersionArn: START.runtimeVersionArn,
        functionName: 'f',
        functionVersion: '3',
      },
    });
  });

  test('platform.start', () => {
    assert.deepEqual(parsed(startLine(json('INFO'), AT, ID, '3')), {
      time: TIME,
      type: 'platform.start',
      record: { requestId: ID, version: '3' },
    });
  });

  test('platform.runtimeDone and platform.report of a failure', () => {
    const failed = report({ status: 'error', errorType: 'Weird', initDurationMs: 12.345_67 });
    assert.deepEqual(parsed(endLine(json('WARN'), AT, failed)), {
      time: TIME,
      type: 'platform.runtimeDone',
      record: {
        requestId: ID,
        status: 'error',
        errorType: 'Runtime.Unknown',
        metrics: { durationMs: 128.835 },
      },
    });
    assert.deepEqual(parsed(reportLine(json('WARN'), AT, failed)), {
      time: TIME,
      type: 'platform.report',
      record: {
        requestId: ID,
        status: 'error',
        errorType: 'Runtime.Unknown',
        metrics: {
          durationMs: 128.835,
          billedDurationMs: 142,
          memorySizeMB: 128,
          maxMemoryUsedMB: 74,
          initDurationMs: 12.346,
        },
      },
    });
  });

  test('each at its level', () => {
    const written = (level: PlatformLogFormat['level'], status: Report['status']) => ({
      initStart: initStartLine(json(level), AT, START) !== '',
      initReport:
        initReportLine(json(level), AT, {
          phase: 'init',
          status,
          errorType: undefined,
          durationMs: 1,
          initializationType: 'on-demand',
        }) !== '',
      start: startLine(json(level), AT, ID, '1') !== '',
      done: endLine(json(level), AT, report({ status })) !== '',
      report: reportLine(json(level), AT, report({ status })) !== '',
    });
    const all = { initStart: true, initReport: true, start: true, done: true, report: true };
    assert.deepEqual(written('DEBUG', 'success'), all);
    assert.deepEqual(written('INFO', 'success'), { ...all, initReport: false, done: false });
    assert.deepEqual(written('INFO', 'timeout'), all);
    assert.deepEqual(written('WARN', 'success'), {
      initStart: false,
      initReport: false,
      start: false,
      done: false,
      report: false,
    });
    assert.deepEqual(written('WARN', 'error'), { ...all, initStart: false, start: false });
  });
});

test("error types in the platform's own records have one form", () => {
  for (const [given, kept] of [
    ['Runtime.ExitError', 'Runtime.ExitError'],
    ['Function.ResponseSizeTooLarge', 'Function.ResponseSizeTooLarge'],
    ['Sandbox.Timedout', 'Sandbox.Timedout'],
    ['my Runtime.Thing', 'my Runtime.Thing'],
    ['Function.', 'Function.Unknown'],
    ['Function.lower', 'Function.Unknown'],
    ['TypeError', 'Runtime.Unknown'],
    ['', 'Runtime.Unknown'],
    [undefined, undefined],
  ])
    assert.equal(platformErrorType(given), kept);
});

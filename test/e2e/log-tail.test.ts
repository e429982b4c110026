// The log tail of an invocation: complete, cut to 4,096 bytes, with the platform's lines and sane figures.
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { exchange } from '../support/exchange.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';

const CODE = `import { execFileSync } from 'node:child_process';
console.log('static code');
const size = (n) => 'x'.repeat(n);
const spin = (ms) => { const end = performance.now() + ms; while (performance.now() < end); };
export const handler = async ({ lines = 0, chars = 0, text, spinMs = 0, mib = 0, child }) => {
  for (let i = 0; i < lines; i += 1) console.log(i);
  if (chars > 0) process.stdout.write(size(chars));
  if (text !== undefined) process.stdout.write(text);
  if (child !== undefined) execFileSync('/bin/sh', ['-c', child], { stdio: 'inherit' });
  globalThis.kept = Buffer.alloc(mib * 2 ** 20, 1);
  spin(spinMs);
};`;

const REPORT =
  /^REPORT RequestId: ([0-9a-f-]{36})\tDuration: (\d+\.\d\d) ms\tBilled Duration: (\d+) ms\tMemory Size: (\d+) MB\tMax Memory Used: (\d+) MB\t(?:Init Duration: (\d+\.\d\d) ms\t)?$/;

function reportOf(log: string) {
  const line = log.trimEnd().split('\n').at(-1) ?? '';
  const [, id, duration, billed, size, used, init] = REPORT.exec(`${line.trimEnd()}\t`) ?? [];
  assert.ok(id !== undefined, `no REPORT line: ${JSON.stringify(log)}`);
  return {
    id,
    durationMs: Number(duration),
    billedMs: Number(billed),
    sizeMb: Number(size),
    usedMb: Number(used),
    initMs: init === undefined ? undefined : Number(init),
  };
}

suite('the log tail', () => {
  let t: TestHost;

  before(async () => {
    t = await startTestHost();
    await t.deploy('f', { 'index.mjs': CODE }, { MemorySize: 256, Timeout: 30 });
  });
  after(() => t[Symbol.asyncDispose]());

  async function tail(event: object): Promise<{ log: Buffer; id: string }> {
    const Payload = JSON.stringify(event);
    const answer = await exchange(t.client, { FunctionName: 'f', Payload, LogType: 'Tail' });
    assert.equal(answer.functionError, undefined, answer.text);
    return { log: answer.log, id: answer.headers['x-amzn-requestid'] ?? '' };
  }

  test('is START, what the handler writes, END and REPORT, without what init wrote', async () => {
    const { log, id } = await tail({ lines: 1, text: 'plain\n' });
    const lines = log.toString().split('\n');
    assert.equal(lines.length, 6);
    assert.equal(lines[0], `START RequestId: ${id} Version: $LATEST`);
    assert.match(
      lines[1] ?? '',
      new RegExp(`^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z\t${id}\tINFO\t0$`),
    );
    assert.equal(lines[2], 'plain');
    assert.equal(lines[3], `END RequestId: ${id}`);
    assert.equal(reportOf(log.toString()).id, id);
    assert.ok(log.toString().endsWith('\t\n'), 'REPORT ends with a tab');
  });

  test('ends a line that the function left open', async () => {
    const { log, id } = await tail({ text: 'no line feed' });
    assert.match(log.toString(), new RegExp(`\nno line feed\nEND RequestId: ${id}\nREPORT `));
  });

  test('is exactly the last 4,096 bytes, whatever the function wrote', async () => {
    for (const event of [{ chars: 10_000 }, { lines: 3_000 }, { text: 'ä😀'.repeat(2_000) }]) {
      const { log, id } = await tail(event);
      assert.equal(log.length, 4096);
      assert.match(log.toString(), new RegExp(`\nEND RequestId: ${id}\nREPORT RequestId: ${id}\t`));
    }
  });

  test('has what a child process wrote, in its place', async () => {
    const logs = Array.from({ length: 4 }, async () => {
      for (let i = 0; i < 15; i += 1) {
        const { log } = await tail({ child: 'echo out; echo err >&2' });
        assert.match(log.toString(), /^START .*\nout\nerr\nEND /);
      }
    });
    await Promise.all(logs);
  });

  test('is absent unless it is asked for', async () => {
    const answer = await exchange(t.client, { FunctionName: 'f' });
    assert.equal('x-amz-log-result' in answer.headers, false);
    const none = await exchange(t.client, { FunctionName: 'f', LogType: 'None' });
    assert.equal('x-amz-log-result' in none.headers, false);
  });

  test('reports times and memory that can be true, and init only on the first invocation', async () => {
    await t.deploy('fresh', { 'index.mjs': CODE }, { MemorySize: 256, Timeout: 30 });
    const report = async (event: object) => {
      const answer = await t.invoke('fresh', event);
      return reportOf(answer.log);
    };
    const first = await report({ spinMs: 30 });
    assert.ok(first.initMs !== undefined && first.initMs > 0 && first.initMs < 10_000);
    assert.ok(first.durationMs >= 30 && first.durationMs < 30_000, `${first.durationMs}`);
    // The figures are rounded to a hundredth, the bill is not.
    const sum = first.durationMs + first.initMs;
    assert.ok(first.billedMs >= Math.ceil(sum - 0.02) && first.billedMs <= Math.ceil(sum + 0.02));
    assert.equal(first.sizeMb, 256);
    assert.ok(first.usedMb >= 20 && first.usedMb <= 128, `${first.usedMb} MB`);

    const second = await report({ mib: 100 });
    assert.equal(second.initMs, undefined);
    assert.ok(Math.abs(second.billedMs - second.durationMs) <= 1.02);
    assert.ok(second.usedMb >= first.usedMb + 80 && second.usedMb <= 256, `${second.usedMb} MB`);

    const third = await report({});
    assert.equal(third.usedMb >= second.usedMb, true, 'the high-water mark stays');
  });
});

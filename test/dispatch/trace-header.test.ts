// The chain of invocations that a trace header belongs to, and how often each function has run in it.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { traceHeader, withInvocation } from '../../host/dispatch/trace-header.ts';

const ROOT = 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1';
const KEY = '000000000000/us-east-1/f';

suite('A trace header', () => {
  test('counts the invocations of each function in its chain', () => {
    const first = withInvocation(ROOT, KEY);
    assert.match(first.header, /^Root=1-[^;]*;Parent=[^;]*;Sampled=1;Lineage=1:[0-9a-f]{8}:0$/);
    const other = withInvocation(first.header, '000000000000/us-east-1/g');
    assert.match(other.header, /;Lineage=1:([0-9a-f]{8}):0\|1:(?!\1)[0-9a-f]{8}:0$/);
    const again = withInvocation(other.header, KEY);
    assert.match(again.header, /;Lineage=1:[0-9a-f]{8}:1\|1:[0-9a-f]{8}:0$/);
  });

  test('tells a loop after sixteen invocations of one function, with however many others between', () => {
    let header = ROOT;
    for (let run = 1; run <= 20; run += 1) {
      const traced = withInvocation(header, KEY);
      assert.equal(traced.isRecursive, run > 16, `run ${run}`);
      header = withInvocation(traced.header, `000000000000/us-east-1/other-${run % 5}`).header;
    }
  });

  test('keeps what it does not know, and its own size within bounds', () => {
    const strange = `${ROOT};Self=1-2;Lineage=seen:before|1:zzzz:0;Other=3`;
    const { header } = withInvocation(strange, KEY);
    assert.match(header, /;Self=1-2;Lineage=seen:before\|1:zzzz:0\|1:[0-9a-f]{8}:0;Other=3$/);
    let long = ROOT;
    for (let at = 0; at < 200; at += 1) long = withInvocation(long, `f${at}`).header;
    assert.ok(long.length < 1_000, String(long.length));
  });

  test('of any text is handed on without fail, and says the same when read again', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (text, key) => {
        const once = withInvocation(text, key);
        assert.ok(once.header.includes('Lineage='));
        assert.deepEqual(withInvocation(text, key), once);
      }),
    );
  });

  test('is made anew where the caller brings none, or one that is absurdly long', () => {
    for (const given of [undefined, '', 'x'.repeat(2_000), ['a', 'b']])
      assert.match(
        traceHeader(given, 'PassThrough', 1_700_000_000_000),
        /^Root=1-6553f100-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0$/,
      );
    assert.equal(traceHeader(ROOT, 'Active', 0), ROOT);
  });
});

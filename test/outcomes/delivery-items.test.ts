// Who is told of which outcome, and what is stored for it.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import {
  cutErrorMessage,
  deadLetterAttributes,
} from '../../host/queue/outcomes/dead-letter-message.ts';
import { deliveryHead, deliveryItems } from '../../host/queue/outcomes/delivery-items.ts';
import type { OutcomeTargets } from '../../host/queue/outcomes/outcome.ts';
import { invocationRecord } from '../../host/queue/outcomes/record.ts';
import { outcomeOf } from './outcomes.ts';

const targets: OutcomeTargets = {
  onSuccess: 'arn:aws:sqs:us-east-1:000000000000:good',
  onFailure: 'arn:aws:sqs:us-east-1:000000000000:bad',
  deadLetterQueue: 'arn:aws:sqs:us-east-1:000000000000:dead',
};

function itemsOf(more: Parameters<typeof outcomeOf>[0], to: OutcomeTargets = targets) {
  let ids = 0;
  return deliveryItems(outcomeOf(more), to, () => `id-${(ids += 1)}`, 5_000);
}

suite('The items that tell an outcome', () => {
  test('go to the destination for successes alone after a success', () => {
    const [item, ...rest] = itemsOf({ condition: 'Success' });
    assert.deepEqual(rest, []);
    assert.equal(item?.lane, targets.onSuccess);
    assert.deepEqual(item?.payload, invocationRecord(outcomeOf({ condition: 'Success' })));
  });

  for (const condition of [
    'RetriesExhausted',
    'EventAgeExceeded',
    'ZeroReservedConcurrency',
    'RecursiveInvocationTerminated',
  ] as const)
    test(`go to the destination for failures and to the dead letters after ${condition}`, () => {
      const [failure, dead, ...rest] = itemsOf({ condition });
      assert.deepEqual(rest, []);
      assert.equal(failure?.lane, targets.onFailure);
      assert.deepEqual(failure?.payload, invocationRecord(outcomeOf({ condition })));
      assert.equal(dead?.lane, targets.deadLetterQueue);
      assert.deepEqual(dead?.payload, outcomeOf().requestPayload);
    });

  test('are none where nobody is to be told', () => {
    assert.deepEqual(itemsOf({}, { onSuccess: 'arn:aws:sqs:us-east-1:000000000000:good' }), []);
    assert.deepEqual(itemsOf({ condition: 'Success' }, { ...targets, onSuccess: undefined }), []);
  });

  test('are due at once, and hold in JSON all that it takes to deliver them', () => {
    const [item] = itemsOf({ errorMessage: 'x'.repeat(5_000), traceHeader: 'Root=1-2' });
    assert(item);
    const {
      requestPayload: _,
      response: _r,
      approximateInvokeCount: _n,
      ...told
    } = outcomeOf({
      errorMessage: 'x'.repeat(1_024),
      traceHeader: 'Root=1-2',
    });
    const expected = { ...told, target: targets.onFailure, reason: 'onFailure', failures: 0 };
    assert.deepEqual(deliveryHead({ head: JSON.parse(JSON.stringify(item.head)) }), expected);
    const { id, kind, dueAtMs, acceptedAtMs } = item;
    assert.deepEqual({ id, kind }, { id: 'id-1', kind: 'delivery' });
    assert.deepEqual({ dueAtMs, acceptedAtMs }, { dueAtMs: 5_000, acceptedAtMs: 5_000 });
  });
});

suite('The attributes of a dead letter', () => {
  function attributesOf(more: Parameters<typeof outcomeOf>[0]) {
    const [item] = itemsOf(more, { deadLetterQueue: targets.deadLetterQueue });
    assert(item);
    return deadLetterAttributes(deliveryHead(item));
  }

  test('say which request it was and what came of it, the code as a number', () => {
    assert.deepEqual(attributesOf({}), {
      RequestID: { DataType: 'String', StringValue: outcomeOf().requestId },
      ErrorCode: { DataType: 'Number', StringValue: '200' },
      ErrorMessage: { DataType: 'String', StringValue: 'no' },
    });
  });

  test('leave out what is empty, which no queue takes', () => {
    assert.deepEqual(attributesOf({ errorCode: 0, errorMessage: '' }), {
      RequestID: { DataType: 'String', StringValue: outcomeOf().requestId },
    });
  });

  test('have the first 1,024 bytes of the message, in whole characters', () => {
    assert.equal(cutErrorMessage('x'.repeat(1_025)), 'x'.repeat(1_024));
    assert.equal(cutErrorMessage(`${'x'.repeat(1_023)}é`), 'x'.repeat(1_023));
    assert.equal(cutErrorMessage(`${'x'.repeat(1_022)}é!`), `${'x'.repeat(1_022)}é`);
    assert.equal(cutErrorMessage(`x${'𝒳'.repeat(300)}`), `x${'𝒳'.repeat(255)}`);
    assert.equal(cutErrorMessage('é'.repeat(512)), 'é'.repeat(512));
  });

  test('never have more bytes than that, and no less than whole characters allow', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 2_000, size: 'max' }), (message) => {
        const cut = cutErrorMessage(message);
        const bytes = Buffer.byteLength(cut);
        assert(bytes <= 1_024);
        assert(message.startsWith(cut));
        if (cut !== message) assert(bytes > 1_024 - 4);
      }),
    );
  });

  test('show a replacement where the message has what no queue takes', () => {
    assert.equal(cutErrorMessage('\u001b[31mred\0\ud800\t\n'), '\ufffd[31mred\ufffd\ufffd\t\n');
  });
});

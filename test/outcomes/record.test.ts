// The record of an invocation, byte for byte, for every condition.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import type { EventOutcome, OutcomeCondition } from '../../host/queue/outcomes/outcome.ts';
import { invocationRecord } from '../../host/queue/outcomes/record.ts';
import { outcomeOf } from './outcomes.ts';

const HEAD = '{"version":"1.0","timestamp":"2026-11-24T01:02:03.045Z","requestContext":';

function context(condition: OutcomeCondition, count: number): string {
  return `{"requestId":"4b1e5b6f-0000-4000-8000-0123456789ab","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST","condition":"${condition}","approximateInvokeCount":${count}}`;
}

const FAILED =
  '"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},"responsePayload":{"errorType":"RangeError","errorMessage":"no","trace":[]}';

function returned(payload: string | Uint8Array): Partial<EventOutcome> {
  return {
    condition: 'Success',
    approximateInvokeCount: 1,
    response: { statusCode: 200, executedVersion: '7', payload: Buffer.from(payload) },
  };
}

const cases: readonly (readonly [string, Partial<EventOutcome>, string])[] = [
  [
    'a success has its result, and no functionError',
    returned('[1]'),
    `${HEAD}${context('Success', 1)},"requestPayload":{"order": 7},"responseContext":{"statusCode":200,"executedVersion":"7"},"responsePayload":[1]}`,
  ],
  [
    'a result of null is null',
    returned('null'),
    `${HEAD}${context('Success', 1)},"requestPayload":{"order": 7},"responseContext":{"statusCode":200,"executedVersion":"7"},"responsePayload":null}`,
  ],
  [
    'an empty result is null',
    returned(''),
    `${HEAD}${context('Success', 1)},"requestPayload":{"order": 7},"responseContext":{"statusCode":200,"executedVersion":"7"},"responsePayload":null}`,
  ],
  [
    'exhausted retries have the last error',
    {},
    `${HEAD}${context('RetriesExhausted', 3)},"requestPayload":{"order": 7},${FAILED}}`,
  ],
  [
    'an event that became too old has the error of the attempt it had',
    { condition: 'EventAgeExceeded', approximateInvokeCount: 1 },
    `${HEAD}${context('EventAgeExceeded', 1)},"requestPayload":{"order": 7},${FAILED}}`,
  ],
  [
    'an event that became too old without an attempt has no answer',
    { condition: 'EventAgeExceeded', approximateInvokeCount: 0, response: undefined },
    `${HEAD}${context('EventAgeExceeded', 0)},"requestPayload":{"order": 7}}`,
  ],
  [
    'a status without an answer is told alone',
    { approximateInvokeCount: 1, response: { statusCode: 404 } },
    `${HEAD}${context('RetriesExhausted', 1)},"requestPayload":{"order": 7},"responseContext":{"statusCode":404}}`,
  ],
  [
    'zero reserved concurrency has no answer',
    { condition: 'ZeroReservedConcurrency', approximateInvokeCount: 0, response: undefined },
    `${HEAD}${context('ZeroReservedConcurrency', 0)},"requestPayload":{"order": 7}}`,
  ],
  [
    'an ended recursion has no answer',
    { condition: 'RecursiveInvocationTerminated', approximateInvokeCount: 0, response: undefined },
    `${HEAD}${context('RecursiveInvocationTerminated', 0)},"requestPayload":{"order": 7}}`,
  ],
];

suite('The record of an invocation', () => {
  for (const [title, outcome, expected] of cases)
    test(`${title}`, () => {
      assert.equal(invocationRecord(outcomeOf(outcome)).toString(), expected);
      assert.doesNotThrow(() => JSON.parse(expected));
    });

  test('repeats numbers, spaces and escapes of event and result as they were written', () => {
    const event = '{ "n": 12345678901234567890.10, "t": "\\u00fc\\/é", "n": 2 }';
    const result = ' [1e400, "\\ud800"] ';
    const record = invocationRecord(
      outcomeOf({ ...returned(result), requestPayload: Buffer.from(event) }),
    ).toString();
    assert(record.includes(`"requestPayload":${event},`), record);
    assert(record.endsWith(`"responsePayload":${result}}`), record);
  });

  test('is JSON whatever event and result are, and holds them as they are', () => {
    const shapes = fc.record({ event: fc.json(), result: fc.json(), text: fc.string() });
    fc.assert(
      fc.property(shapes, ({ event, result, text }) => {
        const outcome = outcomeOf({
          ...returned(result),
          requestId: text,
          requestPayload: Buffer.from(event),
        });
        const record = JSON.parse(invocationRecord(outcome).toString());
        assert.equal(record.requestContext.requestId, text);
        assert.deepEqual(record.requestPayload, JSON.parse(event));
        assert.deepEqual(record.responsePayload, JSON.parse(result));
      }),
    );
  });

  for (const [title, payload] of [
    ['no JSON', Buffer.from('so what')],
    ['no UTF-8', Buffer.from([0x22, 0xff, 0x22])],
  ] as const)
    test(`tells of a result that is ${title}, and stays JSON`, () => {
      const { responsePayload, deliveryError, responseContext } = JSON.parse(
        invocationRecord(outcomeOf(returned(payload))).toString(),
      );
      assert.equal(responsePayload, undefined);
      assert.deepEqual(responseContext, { statusCode: 200, executedVersion: '7' });
      assert.deepEqual(deliveryError, {
        statusCode: 400,
        errorCode: 'InvalidRequestContentException',
        errorMessage: 'The function response payload could not be parsed as JSON.',
      });
    });
});

// Which targets of dead letters are taken, and what is said of the others.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  CreateFunctionCommand,
  GetFunctionConfigurationCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import { startApiHost } from '../support/api-host.ts';
import { createRequest } from '../support/functions.ts';
import { invalid, refusalOf } from '../support/wire.ts';

const otherRegion =
  "The resource specified by the TargetArn must be in the same region as the Lambda function it's associated with.";
const otherService =
  'The service specified by the TargetArn is not supported for dead letter configuration.';

/** A target, and why it is refused. */
const refused: readonly (readonly [string, string])[] = [
  ['arn:aws:lambda:us-east-1:000000000000:function:g', otherService],
  ['arn:aws:events:us-east-1:000000000000:event-bus/b', otherService],
  ['arn:aws:sqs:eu-west-1:000000000000:q', otherRegion],
  ['arn:aws:s3:::bucket', otherRegion],
  [
    'arn:aws:sqs:us-east-1:000000000000:q.fifo',
    'FIFO SQS queue is not supported for dead letter configuration',
  ],
  [
    'arn:aws:sns:us-east-1:000000000000:t.fifo',
    'FIFO SNS topic is not supported for dead letter configuration',
  ],
  ['arn:aws:sqs:us-east-1:q', 'The TargetArn does not name an SQS queue.'],
  ['arn:aws:sns:us-east-1:000000000000:', 'The TargetArn does not name an SNS topic.'],
];

suite('A dead-letter target', () => {
  test('is a queue or a topic of the own region, or of another account there', async () => {
    await using t = await startApiHost();
    for (const [index, TargetArn] of [
      'arn:aws:sqs:us-east-1:000000000000:q',
      'arn:aws:sns:us-east-1:000000000000:a_topic-1',
      'arn:aws:sqs:us-east-1:111111111111:q',
    ].entries()) {
      const request = await createRequest(`f${index}`, { DeadLetterConfig: { TargetArn } });
      const { DeadLetterConfig } = await t.client.send(new CreateFunctionCommand(request));
      assert.deepEqual(DeadLetterConfig, { TargetArn });
    }
  });

  for (const [TargetArn, reason] of refused)
    test(`${TargetArn} is refused when a function is created and when it is changed`, async () => {
      await using t = await startApiHost();
      const expected = invalid(`Invalid dead letter queue ARN: ${reason}`);
      const DeadLetterConfig = { TargetArn };
      const create = new CreateFunctionCommand(await createRequest('f', { DeadLetterConfig }));
      assert.deepEqual(await refusalOf(t.client.send(create)), expected);
      const kept = { TargetArn: 'arn:aws:sqs:us-east-1:000000000000:kept' };
      const request = await createRequest('f', { DeadLetterConfig: kept });
      await t.client.send(new CreateFunctionCommand(request));
      const update = new UpdateFunctionConfigurationCommand({
        FunctionName: 'f',
        DeadLetterConfig,
      });
      assert.deepEqual(await refusalOf(t.client.send(update)), expected);
      const read = new GetFunctionConfigurationCommand({ FunctionName: 'f' });
      assert.deepEqual((await t.client.send(read)).DeadLetterConfig, kept);
    });
});

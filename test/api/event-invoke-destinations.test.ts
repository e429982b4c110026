// Which destinations an event invoke config may name, and that a refused one changes nothing.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  type DestinationConfig,
  GetFunctionEventInvokeConfigCommand,
  PutFunctionEventInvokeConfigCommand,
  UpdateFunctionEventInvokeConfigCommand,
} from '@aws-sdk/client-lambda';
import { ARN, returning } from '../support/functions.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';
import { invalid, refusalOf } from '../support/wire.ts';

const QUEUE = 'arn:aws:sqs:us-east-1:000000000000:q';
const BUCKET = 'arn:aws:s3:::bucket';
const STREAM = 'arn:aws:kinesis:us-east-1:000000000000:stream/s';

function put(t: TestHost, destinations: DestinationConfig) {
  return t.client.send(
    new PutFunctionEventInvokeConfigCommand({
      FunctionName: 'f',
      DestinationConfig: destinations,
    }),
  );
}

async function shown(t: TestHost): Promise<object> {
  const command = new GetFunctionEventInvokeConfigCommand({ FunctionName: 'f' });
  const { $metadata: _, ...config } = await t.client.send(command);
  return config;
}

function unsuitable(onSuccess: string | undefined, onFailure: string | undefined) {
  const success = onSuccess === undefined ? 'null' : `OnSuccess(destination=${onSuccess})`;
  const failure = onFailure === undefined ? 'null' : `OnFailure(destination=${onFailure})`;
  return invalid(
    `The provided destination config DestinationConfig(onSuccess=${success}, onFailure=${failure}) is invalid.`,
  );
}

suite('A destination', () => {
  test('may be a queue, a topic, an event bus or another function, and a bucket for failures', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'));
    await t.deploy('g', returning('1'), { Publish: true });
    for (const Destination of [
      QUEUE,
      'arn:aws:sns:us-east-1:000000000000:t',
      'arn:aws:events:us-east-1:000000000000:event-bus/default',
      `${ARN}:g`,
      `${ARN}:g:$LATEST`,
      `${ARN}:g:1`,
    ]) {
      const both = { OnSuccess: { Destination }, OnFailure: { Destination } };
      assert.deepEqual((await put(t, both)).DestinationConfig, both);
    }
    const answer = await put(t, { OnFailure: { Destination: BUCKET } });
    assert.deepEqual(answer.DestinationConfig?.OnFailure, { Destination: BUCKET });
  });

  test('of a service that takes no events is refused, and the config stays as it was', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'));
    await put(t, { OnFailure: { Destination: QUEUE } });
    const before = await shown(t);
    for (const [success, failure] of [
      [STREAM, undefined],
      [undefined, STREAM],
      [STREAM, QUEUE],
      [BUCKET, undefined],
      [BUCKET, BUCKET],
      [undefined, 'kafka://topic'],
    ]) {
      const DestinationConfig = {
        ...(success === undefined ? {} : { OnSuccess: { Destination: success } }),
        ...(failure === undefined ? {} : { OnFailure: { Destination: failure } }),
      };
      assert.deepEqual(await refusalOf(put(t, DestinationConfig)), unsuitable(success, failure));
      const update = new UpdateFunctionEventInvokeConfigCommand({
        FunctionName: 'f',
        DestinationConfig,
      });
      assert.deepEqual(await refusalOf(t.client.send(update)), unsuitable(success, failure));
    }
    assert.deepEqual(await shown(t), before);
  });

  test('is not a function that is missing, nor the function itself', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'), { Publish: true });
    await put(t, { OnFailure: { Destination: QUEUE } });
    const before = await shown(t);
    for (const Destination of [
      `${ARN}:missing`,
      `${ARN}:f:2`,
      `${ARN}:f:PROD`,
      'arn:aws:lambda:eu-west-1:000000000000:function:f',
      'arn:aws:lambda:us-east-1:000000000000:layer:f:1',
    ])
      for (const side of ['OnSuccess', 'OnFailure'])
        assert.deepEqual(
          await refusalOf(put(t, { [side]: { Destination } })),
          invalid(`The destination ARN ${Destination} is invalid.`),
        );
    for (const Destination of [`${ARN}:f`, `${ARN}:f:1`, `${ARN}:f:$LATEST`])
      assert.deepEqual(
        await refusalOf(put(t, { OnSuccess: { Destination } })),
        invalid("You can't specify the function as a destination for itself."),
      );
    assert.deepEqual(await shown(t), before);
  });

  test('is no FIFO queue or topic, and nothing that its service cannot have', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'));
    await put(t, { OnFailure: { Destination: QUEUE } });
    const before = await shown(t);
    for (const Destination of [
      `${QUEUE}.fifo`,
      'arn:aws:sqs:us-east-1:000000000000:',
      'arn:aws:sqs:us-east-1::q',
      'arn:aws:events:us-east-1:000000000000:rule/r',
    ])
      for (const side of ['OnSuccess', 'OnFailure'])
        assert.deepEqual(
          await refusalOf(put(t, { [side]: { Destination } })),
          invalid(`The destination ARN ${Destination} is invalid.`),
        );
    const inBucket = { OnFailure: { Destination: `${BUCKET}/prefix` } };
    assert.deepEqual(
      await refusalOf(put(t, inBucket)),
      invalid(`The destination ARN ${BUCKET}/prefix is invalid.`),
    );
    const topic = 'arn:aws:sns:us-east-1:000000000000:t.fifo';
    assert.deepEqual(
      await refusalOf(put(t, { OnSuccess: { Destination: topic } })),
      invalid("FIFO-type Amazon SNS topics aren't supported as a destination."),
    );
    assert.deepEqual(await shown(t), before);
  });

  test('is looked at after the function and after the config that an update needs', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'));
    const DestinationConfig = { OnSuccess: { Destination: STREAM } };
    const elsewhere = { FunctionName: 'missing', DestinationConfig };
    const none = await refusalOf(t.client.send(new PutFunctionEventInvokeConfigCommand(elsewhere)));
    assert.equal(none.message, "The function doesn't exist.");
    const update = { FunctionName: 'f', DestinationConfig };
    const noConfig = await refusalOf(
      t.client.send(new UpdateFunctionEventInvokeConfigCommand(update)),
    );
    assert.equal(
      noConfig.message,
      `The function ${ARN}:f:$LATEST doesn't have an EventInvokeConfig`,
    );
  });
});

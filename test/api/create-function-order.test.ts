// Which of two faults in one request CreateFunction tells: constraints of the model before what
// members say together, a taken name before the code.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CreateFunctionCommand, type CreateFunctionCommandInput } from '@aws-sdk/client-lambda';
import { createRequest, returning } from '../support/functions.ts';
import { startTestHost } from '../support/test-host.ts';
import { refusalOf } from '../support/wire.ts';

/** Faults in the service's order: what each does to a sound request, and a part of the text that tells it. */
const faults: readonly (readonly [
  spoil: (request: CreateFunctionCommandInput) => CreateFunctionCommandInput,
  told: RegExp,
])[] = [
  [(request) => ({ ...request, Role: 'r1' }), /at 'role' failed/],
  [
    (request) => ({ ...request, FunctionName: `${'n'.repeat(65)}` }),
    /at 'functionName' failed .* less than or equal to 64$/,
  ],
  [(request) => ({ ...request, Handler: undefined }), /^Runtime and Handler are mandatory/],
  [(request) => ({ ...request, Code: {} }), /^Please provide a source/],
  [(request) => ({ ...request, Runtime: 'python2.7' }), /^The runtime parameter of python2.7/],
  [(request) => ({ ...request, Timeout: 901 }), /^'Timeout' value failed/],
  [
    (request) => ({ ...request, Environment: { Variables: { AWS_REGION: '' } } }),
    /contains reserved keys/,
  ],
  [
    (request) => ({ ...request, LoggingConfig: { SystemLogLevel: 'INFO' } }),
    /^LogLevel is not supported/,
  ],
  [
    (request) => ({
      ...request,
      Layers: ['arn:aws:lambda:us-east-1:000000000000:layer:l:1'],
    }),
    /^Layer version .* does not exist/,
  ],
  [(request) => ({ ...request, Tags: { 'aws:mine': '' } }), /^The tag key/],
  [
    // The first fault of the list is a role too; it stays what it is.
    (request) =>
      request.Role === 'r1'
        ? request
        : { ...request, Role: 'arn:aws:iam::111111111111:role/theirs' },
    /^Cross-account pass role is not allowed\.$/,
  ],
  [
    (request) => ({
      ...request,
      CodeSigningConfigArn:
        'arn:aws:lambda:us-east-1:000000000000:code-signing-config:csc-0123456789abcdefg',
    }),
    /^The code signing configuration cannot be found/,
  ],
  [
    (request) => ({
      ...request,
      FunctionName: request.FunctionName === 'f' ? 'taken' : request.FunctionName,
    }),
    /^Function already exist: taken$/,
  ],
  [
    (request) => ({
      ...request,
      Code: request.Code?.ZipFile === undefined ? request.Code : { ZipFile: Buffer.from('no zip') },
    }),
    /^Could not unzip uploaded file/,
  ],
];

test('CreateFunction tells the first of two faults in the order of its checks', async () => {
  await using t = await startTestHost();
  await t.deploy('taken', returning('1'));
  const sound = await createRequest('f');
  for (const [index, [spoilFirst, told]] of faults.entries()) {
    for (const [spoilSecond] of faults.slice(index)) {
      const request = spoilSecond(spoilFirst(sound));
      const { message } = await refusalOf(t.client.send(new CreateFunctionCommand(request)));
      assert.match(message, told);
    }
  }
});

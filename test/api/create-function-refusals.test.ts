// What CreateFunction refuses, with the service's words.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  CreateFunctionCommand,
  type CreateFunctionCommandInput,
  ListFunctionsCommand,
} from '@aws-sdk/client-lambda';
import { lambdaModel } from '../../host/api/model/model.ts';
import { zipOf } from '../support/bundle-fixtures.ts';
import { createRequest, returning } from '../support/functions.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';
import { invalid, type Refusal, refusalOf, unfit } from '../support/wire.ts';

const namePattern = String.raw`(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?`;
const creatable = lambdaModel.validation.runtimeMessageOrder.join(', ');
const mandatory =
  'Runtime and Handler are mandatory parameters for functions created with deployment packages.';
const notInImages =
  "Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image.";
const reservedKeys =
  'Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request:';
const levelWithText =
  'LogLevel is not supported when LogFormat is set to "Text". Remove LogLevel from your request or change the LogFormat to "JSON" and try again.';
const layer = 'arn:aws:lambda:us-east-1:000000000000:layer:l:1';

type Members = Partial<CreateFunctionCommandInput>;

/** Members that TypeScript would not let us send. */
function wrong(members: object): Members {
  return members as Members; // as: the point of the test
}

/** Sends them all, then looks whether any of them has left a function behind. */
async function expectRefusals(
  t: TestHost,
  cases: readonly (readonly [Members, Refusal])[],
): Promise<void> {
  const whole = await createRequest('f');
  for (const [members, expected] of cases) {
    const command = new CreateFunctionCommand({ ...whole, ...members });
    assert.deepEqual(await refusalOf(t.client.send(command)), expected);
  }
  const { Functions } = await t.client.send(new ListFunctionsCommand({}));
  assert.deepEqual(Functions, []);
}

suite('CreateFunction refuses', () => {
  test('names that are no names', async () => {
    await using t = await startTestHost();
    const long = 'n'.repeat(65);
    const tooLong = 'Member must have length less than or equal to';
    const noName = `Member must satisfy regular expression pattern: ${namePattern}`;
    await expectRefusals(t, [
      [
        { FunctionName: long },
        invalid(
          `1 validation error detected: Value '${long}' at 'functionName' failed to satisfy constraint: ${tooLong} 64`,
        ),
      ],
      [
        { FunctionName: 'n'.repeat(300) },
        unfit(
          `Value '${'n'.repeat(300)}' at 'functionName' failed to satisfy constraint: ${tooLong} 140`,
        ),
      ],
      ...['a b', 'a.b', 'a/b', 'f:$latest', 'f:1:2', 'ünicode'].map(
        (name) =>
          [
            { FunctionName: name },
            unfit(`Value '${name}' at 'functionName' failed to satisfy constraint: ${noName}`),
          ] as const,
      ),
      [
        { FunctionName: 'f:prod' },
        invalid(
          'This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please specify either a function name or an unqualified function ARN.',
        ),
      ],
    ]);
  });

  test('packages that are not described in full, or twice', async () => {
    await using t = await startTestHost();
    const ZipFile = await zipOf(returning('1'));
    const noSource = invalid('Please provide a source for function code.');
    const twice = invalid(
      'Please do not provide other FunctionCode parameters when providing a ZipFile.',
    );
    await expectRefusals(t, [
      [{ Runtime: undefined }, invalid(mandatory)],
      [{ Handler: undefined }, invalid(mandatory)],
      [{ Code: {} }, noSource],
      [{ Code: { S3Bucket: 'bucket' } }, noSource],
      [{ Code: { S3Key: 'key' } }, noSource],
      [{ Code: { ImageUri: 'registry/image:tag' } }, noSource],
      [{ Code: { ZipFile, S3Bucket: 'bucket', S3Key: 'key' } }, twice],
      [{ Code: { ZipFile, S3ObjectVersion: '1' } }, twice],
      [{ Code: { ZipFile, ImageUri: 'registry/image:tag' } }, twice],
      [{ PackageType: 'Image' }, invalid(notInImages)],
      [{ PackageType: 'Image', Runtime: undefined }, invalid(notInImages)],
      [
        { PackageType: 'Image', Runtime: undefined, Handler: undefined, Layers: [layer] },
        invalid(notInImages),
      ],
      [
        {
          PackageType: 'Image',
          Runtime: undefined,
          Handler: undefined,
          Code: { ImageUri: 'registry/image:tag' },
        },
        invalid('PackageType Image is not available on this host yet'),
      ],
    ]);
  });

  test('runtimes, memory and times out of their range', async () => {
    await using t = await startTestHost({ env: { LAMBKIN_LIMITS_MEMORY_MIB: '3008' } });
    const retired = (runtime: string) =>
      invalid(
        `The runtime parameter of ${runtime} is no longer supported for creating or updating AWS Lambda functions. We recommend you use a supported runtime while creating or updating functions.`,
      );
    await expectRefusals(t, [
      [
        wrong({ Runtime: 'cobol' }),
        invalid(
          `Value cobol at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [${creatable}] or be a valid ARN`,
        ),
      ],
      [{ Runtime: 'python2.7' }, retired('python2.7')],
      [{ Runtime: 'nodejs14.x' }, retired('nodejs14.x')],
      [
        { MemorySize: 3009 },
        invalid(
          "'MemorySize' value failed to satisfy constraint: Member must have value less than or equal to 3008",
        ),
      ],
      [
        { MemorySize: 127 },
        unfit(
          "Value '127' at 'memorySize' failed to satisfy constraint: Member must have value greater than or equal to 128",
        ),
      ],
      [
        { Timeout: 901 },
        invalid(
          "'Timeout' value failed to satisfy constraint: Member must have value less than or equal to 900",
        ),
      ],
      [
        { Timeout: 0 },
        unfit(
          "Value '0' at 'timeout' failed to satisfy constraint: Member must have value greater than or equal to 1",
        ),
      ],
      [
        { EphemeralStorage: { Size: 511 } },
        unfit(
          "Value '511' at 'ephemeralStorage.size' failed to satisfy constraint: Member must have value greater than or equal to 512",
        ),
      ],
      [
        { SnapStart: { ApplyOn: 'PublishedVersions' } },
        invalid('nodejs24.x is not supported for SnapStart enabled functions.'),
      ],
      [
        { Architectures: ['x86_64', 'arm64'] },
        unfit(
          "Value '[x86_64, arm64]' at 'architectures' failed to satisfy constraint: Member must have length less than or equal to 1",
        ),
      ],
      [
        wrong({ Architectures: ['X86_64'] }),
        unfit(
          "Value '[X86_64]' at 'architectures' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], Member must not be null]",
        ),
      ],
    ]);
  });

  test('environments that are too large, reserved or misnamed', async () => {
    await using t = await startTestHost();
    const Variables = { LONG: 'v'.repeat(4096) };
    const large = JSON.stringify(Variables);
    await expectRefusals(t, [
      [
        { Environment: { Variables } },
        invalid(
          `Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit. String measured: ${large}`,
        ),
      ],
      [
        { Environment: { Variables: { OK: '1', AWS_REGION: 'x', LAMBDA_TASK_ROOT: 'y' } } },
        invalid(`${reservedKeys} AWS_REGION, LAMBDA_TASK_ROOT`),
      ],
      ...['A', '1AB', 'A-B', '_AB'].map(
        (key) =>
          [
            { Environment: { Variables: { [key]: 'v' } } },
            unfit(
              "Value at 'environment.variables' failed to satisfy constraint: Map keys must satisfy constraint: [Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+]",
            ),
          ] as const,
      ),
    ]);
  });

  test('every reserved variable by its name', async () => {
    await using t = await startTestHost();
    const reserved = [
      'AWS_DEFAULT_REGION',
      'AWS_REGION',
      'AWS_EXECUTION_ENV',
      'AWS_LAMBDA_FUNCTION_NAME',
      'AWS_LAMBDA_FUNCTION_MEMORY_SIZE',
      'AWS_LAMBDA_FUNCTION_VERSION',
      'AWS_LAMBDA_INITIALIZATION_TYPE',
      'AWS_LAMBDA_LOG_GROUP_NAME',
      'AWS_LAMBDA_LOG_STREAM_NAME',
      'AWS_ACCESS_KEY',
      'AWS_ACCESS_KEY_ID',
      'AWS_SECRET_ACCESS_KEY',
      'AWS_SESSION_TOKEN',
      'AWS_LAMBDA_RUNTIME_API',
      'LAMBDA_TASK_ROOT',
      'LAMBDA_RUNTIME_DIR',
      'AWS_LAMBDA_MAX_CONCURRENCY',
      'AWS_LAMBDA_METADATA_API',
      'AWS_LAMBDA_METADATA_TOKEN',
    ];
    await expectRefusals(
      t,
      reserved.map(
        (key) =>
          [
            { Environment: { Variables: { [key]: '' } } },
            invalid(`${reservedKeys} ${key}`),
          ] as const,
      ),
    );
  });

  test('log levels with format Text', async () => {
    await using t = await startTestHost();
    await expectRefusals(t, [
      [{ LoggingConfig: { LogFormat: 'Text', SystemLogLevel: 'INFO' } }, invalid(levelWithText)],
      [{ LoggingConfig: { ApplicationLogLevel: 'INFO' } }, invalid(levelWithText)],
    ]);
  });

  test('layers, signing configurations and too many or reserved tags', async () => {
    await using t = await startTestHost();
    const config =
      'arn:aws:lambda:us-east-1:000000000000:code-signing-config:csc-0123456789abcdefg';
    const many = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, '']));
    await expectRefusals(t, [
      [{ Layers: [layer] }, invalid(`Layer version ${layer} does not exist.`)],
      [
        { Layers: Array.from({ length: 6 }, () => layer) },
        invalid('Cannot reference more than 5 layers.'),
      ],
      [
        { Layers: ['arn:aws:lambda:eu-west-1:000000000000:layer:l:1'] },
        invalid(
          'Layers are not in the same region as the function. Layers are expected to be in region us-east-1.',
        ),
      ],
      [
        { CodeSigningConfigArn: config },
        {
          status: 404,
          name: 'CodeSigningConfigNotFoundException',
          message: `The code signing configuration cannot be found. Check that the provided configuration is not deleted: ${config}.`,
        },
      ],
      [{ Tags: many(51) }, invalid('Number of tags exceeds resource tag limit.')],
      [
        { Tags: { 'aws:mine': '' } },
        invalid('The tag key aws:mine is reserved: keys must not begin with aws:'),
      ],
    ]);
  });

  test('roles that are no roles, and tells all failures of the model at once', async () => {
    await using t = await startTestHost();
    const role = String.raw`Value 'r1' at 'role' failed to satisfy constraint: Member must satisfy regular expression pattern: arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+`;
    await expectRefusals(t, [
      [{ Role: 'r1' }, unfit(role)],
      [
        { Role: 'r1', Timeout: 0 },
        {
          status: 400,
          name: 'ValidationException',
          message: `2 validation errors detected: ${role}; Value '0' at 'timeout' failed to satisfy constraint: Member must have value greater than or equal to 1`,
        },
      ],
    ]);
  });

  test('roles of other accounts, whose credentials are not for those who may deploy in this one', async () => {
    await using t = await startTestHost();
    await expectRefusals(t, [
      [
        { Role: 'arn:aws:iam::111111111111:role/r' },
        {
          status: 403,
          name: 'AccessDeniedException',
          message: 'Cross-account pass role is not allowed.',
        },
      ],
    ]);
  });

  test('what this host cannot act on, instead of storing and ignoring it', async () => {
    await using t = await startTestHost();
    const unavailable = (member: string) => invalid(`${member} is not available on this host yet`);
    const provider = 'arn:aws:lambda:us-east-1:000000000000:capacity-provider:p';
    await expectRefusals(t, [
      [wrong({ DurableConfig: { ExecutionTimeout: 60 } }), unavailable('DurableConfig')],
      [
        wrong({
          CapacityProviderConfig: {
            LambdaManagedInstancesCapacityProviderConfig: { CapacityProviderArn: provider },
          },
        }),
        unavailable('CapacityProviderConfig'),
      ],
      [wrong({ Publish: true, PublishTo: 'LATEST_PUBLISHED' }), unavailable('PublishTo')],
      [
        {
          Code: { S3Bucket: 'bucket', S3Key: 'key', S3ObjectStorageMode: 'REFERENCE' },
        },
        unavailable('S3ObjectStorageMode REFERENCE'),
      ],
    ]);
  });
});

// UpdateFunctionConfiguration: what is absent stays, what is present replaces.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  type CreateFunctionCommandInput,
  type FunctionConfiguration,
  GetFunctionConfigurationCommand,
  UpdateFunctionConfigurationCommand,
  type UpdateFunctionConfigurationCommandInput,
  waitUntilFunctionUpdatedV2,
} from '@aws-sdk/client-lambda';
import { ARN, returning } from '../support/functions.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';
import { invalid, refusalOf } from '../support/wire.ts';

type Members = Omit<UpdateFunctionConfigurationCommandInput, 'FunctionName'>;

async function update(t: TestHost, members: Members) {
  const command = new UpdateFunctionConfigurationCommand({ FunctionName: 'f', ...members });
  const { $metadata: _, ...answer } = await t.client.send(command);
  return answer;
}

async function shown(t: TestHost): Promise<FunctionConfiguration> {
  const command = new GetFunctionConfigurationCommand({ FunctionName: 'f' });
  const { $metadata: _, ...configuration } = await t.client.send(command);
  return configuration;
}

async function updated(t: TestHost): Promise<FunctionConfiguration> {
  const waiting = { client: t.client, maxWaitTime: 30, minDelay: 0.02, maxDelay: 0.1 };
  await waitUntilFunctionUpdatedV2(waiting, { FunctionName: 'f' });
  return await shown(t);
}

/** Everything that differs from the defaults. */
const full: Partial<CreateFunctionCommandInput> = {
  Description: 'all of it',
  Timeout: 9,
  MemorySize: 256,
  Environment: { Variables: { KEY: 'value' } },
  LoggingConfig: { LogFormat: 'JSON', SystemLogLevel: 'WARN', LogGroup: '/g' },
  TracingConfig: { Mode: 'Active' },
  DeadLetterConfig: { TargetArn: 'arn:aws:sqs:us-east-1:000000000000:dead' },
  VpcConfig: { SubnetIds: ['subnet-1'], SecurityGroupIds: ['sg-1'] },
  KMSKeyArn: 'arn:aws:kms:us-east-1:000000000000:key/k',
  EphemeralStorage: { Size: 600 },
  FileSystemConfigs: [
    {
      Arn: 'arn:aws:elasticfilesystem:us-east-1:000000000000:access-point/fsap-0123456789abcdef0',
      LocalMountPath: '/mnt/data',
    },
  ],
};

/** An update, and the members that differ afterwards from what was shown before. */
const changes: readonly (readonly [Members, FunctionConfiguration])[] = [
  [{}, {}],
  [{ Description: 'other' }, { Description: 'other' }],
  [{ Description: '' }, { Description: '' }],
  [{ Timeout: 900 }, { Timeout: 900 }],
  [{ MemorySize: 128 }, { MemorySize: 128 }],
  [{ Handler: 'a.b' }, { Handler: 'a.b' }],
  [{ Runtime: 'nodejs22.x' }, { Runtime: 'nodejs22.x' }],
  [{ Role: 'arn:aws:iam::000000000000:role/r' }, { Role: 'arn:aws:iam::000000000000:role/r' }],
  [{ EphemeralStorage: { Size: 512 } }, { EphemeralStorage: { Size: 512 } }],
  [{ TracingConfig: { Mode: 'PassThrough' } }, { TracingConfig: { Mode: 'PassThrough' } }],
  [{ Environment: { Variables: { OTHER: 'x' } } }, { Environment: { Variables: { OTHER: 'x' } } }],
  [{ Environment: { Variables: {} } }, { Environment: { Variables: {} } }],
  [{ Environment: {} }, { Environment: { Variables: {} } }],
  [{ DeadLetterConfig: { TargetArn: '' } }, { DeadLetterConfig: undefined }],
  [{ DeadLetterConfig: {} }, {}],
  [{ KMSKeyArn: '' }, { KMSKeyArn: undefined }],
  [{ FileSystemConfigs: [] }, { FileSystemConfigs: undefined }],
  [{ Layers: [] }, {}],
  [
    { VpcConfig: { SubnetIds: [], SecurityGroupIds: [] } },
    {
      VpcConfig: {
        SubnetIds: [],
        SecurityGroupIds: [],
        VpcId: '',
        Ipv6AllowedForDualStack: false,
      },
    },
  ],
  [
    { LoggingConfig: { ApplicationLogLevel: 'ERROR' } },
    {
      LoggingConfig: {
        LogFormat: 'JSON',
        ApplicationLogLevel: 'ERROR',
        SystemLogLevel: 'WARN',
        LogGroup: '/g',
      },
    },
  ],
  [
    { LoggingConfig: { LogFormat: 'Text' } },
    { LoggingConfig: { LogFormat: 'Text', LogGroup: '/g' } },
  ],
  [{ SnapStart: { ApplyOn: 'None' } }, {}],
];

suite('UpdateFunctionConfiguration', () => {
  test('changes what is given and nothing else, member by member', async () => {
    await using t = await startTestHost();
    for (const [index, [members, expected]] of changes.entries()) {
      const name = `f${index}`;
      const FunctionName = name;
      await t.deploy(name, returning('1'), full);
      const read = new GetFunctionConfigurationCommand({ FunctionName });
      const { $metadata: _, ...before } = await t.client.send(read);
      const command = new UpdateFunctionConfigurationCommand({ FunctionName, ...members });
      const { $metadata: __, ...answer } = await t.client.send(command);
      const whole: Record<string, unknown> = {
        ...before,
        ...expected,
        LastModified: answer.LastModified,
        RevisionId: answer.RevisionId,
        LastUpdateStatus: 'InProgress',
        LastUpdateStatusReason: 'The function is being created.',
        LastUpdateStatusReasonCode: 'Creating',
      };
      const present = Object.entries(whole).filter(([, value]) => value !== undefined);
      // Another runtime has another version.
      const { RuntimeVersionConfig: ___, ...told } = answer;
      const { RuntimeVersionConfig: ____, ...wanted } = Object.fromEntries(present);
      assert.deepEqual(told, wanted, JSON.stringify(members));
      assert.notEqual(answer.RevisionId, before.RevisionId);
    }
  });

  test('merges subnets and groups, each replaced when given', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'), full);
    const first = await update(t, { VpcConfig: { SecurityGroupIds: ['sg-2', 'sg-3'] } });
    assert.deepEqual(first.VpcConfig?.SubnetIds, ['subnet-1']);
    assert.deepEqual(first.VpcConfig?.SecurityGroupIds, ['sg-2', 'sg-3']);
    await updated(t);
    const second = await update(t, { VpcConfig: { SubnetIds: ['subnet-9'] } });
    assert.deepEqual(second.VpcConfig?.SubnetIds, ['subnet-9']);
    assert.deepEqual(second.VpcConfig?.SecurityGroupIds, ['sg-2', 'sg-3']);
    assert.notEqual(second.VpcConfig?.VpcId, first.VpcConfig?.VpcId);
  });

  test('sets missing log levels to INFO on the way to JSON, and forgets them on the way back', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'));
    const json = await update(t, { LoggingConfig: { LogFormat: 'JSON', SystemLogLevel: 'DEBUG' } });
    assert.deepEqual(json.LoggingConfig, {
      LogFormat: 'JSON',
      ApplicationLogLevel: 'INFO',
      SystemLogLevel: 'DEBUG',
      LogGroup: '/aws/lambda/f',
    });
    await updated(t);
    await update(t, { LoggingConfig: { LogFormat: 'Text' } });
    await updated(t);
    const again = await update(t, { LoggingConfig: { LogFormat: 'JSON' } });
    assert.equal(again.LoggingConfig?.SystemLogLevel, 'INFO');
  });

  test('gives new environments the new values', async () => {
    await using t = await startTestHost();
    await t.deploy(
      'f',
      returning('[process.env.KEY, process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE]'),
    );
    assert.deepEqual((await t.invoke('f')).payload, [null, '128']);
    await update(t, { Environment: { Variables: { KEY: 'set' } }, MemorySize: 192 });
    await updated(t);
    assert.deepEqual((await t.invoke('f')).payload, ['set', '192']);
  });

  test('leaves published versions as they were', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'), { Publish: true });
    const version = new GetFunctionConfigurationCommand({ FunctionName: 'f', Qualifier: '1' });
    const { $metadata: _, ...before } = await t.client.send(version);
    await update(t, { Description: 'new', Timeout: 10 });
    await updated(t);
    const { $metadata: __, ...after } = await t.client.send(version);
    assert.deepEqual(after, before);
    assert.equal(after.FunctionArn, `${ARN}:f:1`);
  });

  test('refuses what create refuses and what cannot change, and leaves the function as it was', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'));
    const before = await shown(t);
    const provider = 'arn:aws:lambda:us-east-1:000000000000:capacity-provider:p';
    const cases: readonly (readonly [object, RegExp, string?])[] = [
      [{ Timeout: 901 }, /^'Timeout' value failed to satisfy constraint: .* equal to 900$/],
      [{ MemorySize: 10_241 }, /^'MemorySize' value failed .* equal to 10240$/],
      [{ Runtime: 'python2.7' }, /^The runtime parameter of python2.7 is no longer supported/],
      [{ Runtime: 'cobol' }, /^Value cobol at 'runtime' failed/],
      [{ Environment: { Variables: { AWS_REGION: '' } } }, /contains reserved keys/],
      [{ LoggingConfig: { SystemLogLevel: 'WARN' } }, /^LogLevel is not supported/],
      [{ SnapStart: { ApplyOn: 'PublishedVersions' } }, /^nodejs24\.x is not supported for SnapS/],
      [
        { Layers: ['arn:aws:lambda:us-east-1:000000000000:layer:l:1'] },
        /^Layer version .* does not exist\.$/,
      ],
      [
        {
          CapacityProviderConfig: {
            LambdaManagedInstancesCapacityProviderConfig: { CapacityProviderArn: provider },
          },
        },
        /^CapacityProviderConfig isn't supported for Lambda Default functions\.$/,
      ],
      [
        { CapacityProviderConfig: {} },
        /^1 validation error detected: Value null at 'capacityProviderConfig\.lambdaManagedInstancesCapacityProviderConfig'/,
        'ValidationException',
      ],
      [{ DurableConfig: { ExecutionTimeout: 60 } }, /^DurableConfig is not available on this host/],
      [{ ImageConfig: { Command: ['x'] } }, /^ImageConfig is only supported/],
      [
        { Role: 'arn:aws:iam::111111111111:role/r' },
        /^Cross-account pass role is not allowed\.$/,
        'AccessDeniedException',
      ],
    ];
    for (const [members, message, name = 'InvalidParameterValueException'] of cases) {
      const told = await refusalOf(update(t, members as Members)); // as: some are wrong on purpose
      assert.equal(told.name, name);
      assert.match(told.message, message);
    }
    const version = new UpdateFunctionConfigurationCommand({ FunctionName: 'f:1' });
    assert.deepEqual(
      await refusalOf(t.client.send(version)),
      invalid(
        'This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please specify either a function name or an unqualified function ARN.',
      ),
    );
    const stale = await refusalOf(update(t, { RevisionId: 'stale', Timeout: 901 }));
    assert.equal(stale.name, 'PreconditionFailedException');
    assert.deepEqual(await shown(t), before);
  });
});

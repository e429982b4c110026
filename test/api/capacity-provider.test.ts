// Capacity providers: creating, changing, reading, listing, tagging and deleting them; and that no function runs on one.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  CreateCapacityProviderCommand,
  type CreateCapacityProviderCommandInput,
  CreateFunctionCommand,
  DeleteCapacityProviderCommand,
  GetCapacityProviderCommand,
  GetFunctionCommand,
  type LambdaClient,
  ListCapacityProvidersCommand,
  ListFunctionVersionsByCapacityProviderCommand,
  ListTagsCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateCapacityProviderCommand,
} from '@aws-sdk/client-lambda';
import { dataDirectory } from '../support/data-directory.ts';
import { createRequest } from '../support/functions.ts';
import { startTestHost } from '../support/test-host.ts';
import { invalid, refusalOf, unfit } from '../support/wire.ts';

const ARN = 'arn:aws:lambda:us-east-1:000000000000:capacity-provider';

const required = {
  VpcConfig: { SubnetIds: ['subnet-1'], SecurityGroupIds: ['sg-1'] },
  PermissionsConfig: {
    CapacityProviderOperatorRoleArn: 'arn:aws:iam::000000000000:role/operator',
  },
};

const defaults = {
  InstanceRequirements: { Architectures: ['x86_64'] },
  CapacityProviderScalingConfig: { MaxVCpuCount: 400, ScalingMode: 'Auto' },
};

async function create(
  client: LambdaClient,
  name: string,
  members: Partial<CreateCapacityProviderCommandInput> = {},
) {
  return await client.send(
    new CreateCapacityProviderCommand({ CapacityProviderName: name, ...required, ...members }),
  );
}

async function get(client: LambdaClient, CapacityProviderName: string) {
  const command = new GetCapacityProviderCommand({ CapacityProviderName });
  const { LastModified = '', ...provider } =
    (await client.send(command)).CapacityProvider ?? assert.fail('no provider');
  assert.match(LastModified, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$/);
  return provider;
}

function notFound(arn: string) {
  const message = `Capacity provider not found: ${arn}`;
  return { status: 404, name: 'ResourceNotFoundException', message };
}

suite('A capacity provider', () => {
  test('is created Pending with its defaults and is Active then, by name and by ARN', async () => {
    await using t = await startTestHost();
    const { $metadata, CapacityProvider } = await create(t.client, 'p');
    assert.equal($metadata.httpStatusCode, 202);
    const { LastModified: _, ...created } = CapacityProvider ?? assert.fail('no provider');
    const expected = { CapacityProviderArn: `${ARN}:p`, ...required, ...defaults };
    assert.deepEqual(created, { ...expected, State: 'Pending' });
    assert.deepEqual(await get(t.client, 'p'), { ...expected, State: 'Active' });
    assert.deepEqual(await get(t.client, `${ARN}:p`), { ...expected, State: 'Active' });
  });

  test('shows what it was created with', async () => {
    await using t = await startTestHost();
    const members: Partial<CreateCapacityProviderCommandInput> = {
      InstanceRequirements: { Architectures: ['arm64'], AllowedInstanceTypes: ['m7g.large'] },
      CapacityProviderScalingConfig: {
        MaxVCpuCount: 10,
        ScalingMode: 'Manual',
        ScalingPolicies: [
          {
            PredefinedMetricType: 'LambdaCapacityProviderAverageCPUUtilization',
            TargetValue: 50,
          },
        ],
      },
      KmsKeyArn: 'arn:aws:kms:us-east-1:000000000000:key/k',
      PropagateTags: { Mode: 'Explicit', ExplicitTags: { k: 'v' } },
      TelemetryConfig: { LoggingConfig: { SystemLogLevel: 'INFO', LogGroup: '/group' } },
    };
    await create(t.client, `${ARN}:p`, members);
    assert.deepEqual(await get(t.client, 'p'), {
      CapacityProviderArn: `${ARN}:p`,
      State: 'Active',
      ...required,
      ...members,
    });
  });

  test('keeps what an update leaves out', async () => {
    await using t = await startTestHost();
    await create(t.client, 'p', { PropagateTags: { Mode: 'None' } });
    const before = await get(t.client, 'p');
    const update = async (members: object) => {
      const command = new UpdateCapacityProviderCommand({ CapacityProviderName: 'p', ...members });
      const { $metadata, CapacityProvider } = await t.client.send(command);
      assert.equal($metadata.httpStatusCode, 202);
      assert.equal(CapacityProvider?.State, 'Pending');
      return await get(t.client, 'p');
    };
    assert.deepEqual(await update({}), before);
    const CapacityProviderScalingConfig = { MaxVCpuCount: 2, ScalingMode: 'Auto' };
    assert.deepEqual(await update({ CapacityProviderScalingConfig: { MaxVCpuCount: 2 } }), {
      ...before,
      CapacityProviderScalingConfig,
    });
    const TelemetryConfig = { LoggingConfig: { SystemLogLevel: 'DEBUG' } };
    const PropagateTags = { Mode: 'Explicit', ExplicitTags: { a: 'b' } };
    assert.deepEqual(await update({ TelemetryConfig, PropagateTags }), {
      ...before,
      CapacityProviderScalingConfig,
      TelemetryConfig,
      PropagateTags,
    });
  });

  test('is listed with the others by state, page by page, until it is deleted', async () => {
    await using t = await startTestHost();
    for (const name of ['c', 'a', 'b']) await create(t.client, name);
    const listed = async (members: object) => {
      const answer = await t.client.send(new ListCapacityProvidersCommand(members));
      const arns = answer.CapacityProviders?.map((each) => each.CapacityProviderArn);
      return { arns, next: answer.NextMarker };
    };
    const all = [`${ARN}:a`, `${ARN}:b`, `${ARN}:c`];
    assert.deepEqual((await listed({})).arns, all);
    assert.deepEqual((await listed({ State: 'Active' })).arns, all);
    assert.deepEqual((await listed({ State: 'Pending' })).arns, []);
    const { arns, next } = await listed({ MaxItems: 2 });
    assert.deepEqual(arns, all.slice(0, 2));
    assert.deepEqual(await listed({ Marker: next }), { arns: all.slice(2), next: undefined });
    const remove = new DeleteCapacityProviderCommand({ CapacityProviderName: 'b' });
    const { $metadata, CapacityProvider } = await t.client.send(remove);
    assert.equal($metadata.httpStatusCode, 202);
    assert.equal(CapacityProvider?.State, 'Deleting');
    assert.deepEqual((await listed({})).arns, [`${ARN}:a`, `${ARN}:c`]);
  });

  test('exists once under its name, and only in the region of its ARN', async () => {
    await using t = await startTestHost();
    await create(t.client, 'p', { Tags: { k: 'v' } });
    const before = await get(t.client, 'p');
    const CapacityProviderScalingConfig = { MaxVCpuCount: 9 };
    assert.deepEqual(await refusalOf(create(t.client, 'p', { CapacityProviderScalingConfig })), {
      status: 409,
      name: 'ResourceConflictException',
      message: `Capacity provider already exists: ${ARN}:p`,
    });
    assert.deepEqual(await get(t.client, 'p'), before);
    const elsewhere = `${ARN}:q`.replace('us-east-1', 'eu-west-1');
    assert.deepEqual(
      await refusalOf(create(t.client, elsewhere)),
      invalid(`The capacity provider ${elsewhere} cannot be created in the region us-east-1.`),
    );
    assert.deepEqual(await refusalOf(get(t.client, 'q')), notFound(`${ARN}:q`));
  });

  test('is not found when it is missing or of another region', async () => {
    await using t = await startTestHost();
    await create(t.client, 'p');
    const elsewhere = `${ARN}:p`.replace('us-east-1', 'eu-west-1');
    for (const [CapacityProviderName, arn] of [
      ['missing', `${ARN}:missing`],
      [elsewhere, elsewhere],
    ] as const) {
      const named = { CapacityProviderName };
      for (const call of [
        () => t.client.send(new GetCapacityProviderCommand(named)),
        () => t.client.send(new UpdateCapacityProviderCommand(named)),
        () => t.client.send(new DeleteCapacityProviderCommand(named)),
        () => t.client.send(new ListFunctionVersionsByCapacityProviderCommand(named)),
      ])
        assert.deepEqual(await refusalOf(call()), notFound(arn));
    }
  });

  test('is held to the constraints of the model', async () => {
    await using t = await startTestHost();
    assert.deepEqual(
      await refusalOf(
        create(t.client, 'p', { CapacityProviderScalingConfig: { MaxVCpuCount: 1 } }),
      ),
      unfit(
        "Value '1' at 'capacityProviderScalingConfig.maxVCpuCount' failed to satisfy constraint: Member must have value greater than or equal to 2",
      ),
    );
    const { message } = await refusalOf(
      create(t.client, 'p', { VpcConfig: { SubnetIds: [], SecurityGroupIds: [] } }),
    );
    assert.match(message, /at 'vpcConfig\.subnetIds' failed .* greater than or equal to 1$/);
    assert.deepEqual(await refusalOf(get(t.client, 'p')), notFound(`${ARN}:p`));
  });

  test('carries tags', async () => {
    await using t = await startTestHost();
    await create(t.client, 'p', { Tags: { a: '1' } });
    const Resource = `${ARN}:p`;
    await t.client.send(new TagResourceCommand({ Resource, Tags: { b: '2' } }));
    await t.client.send(new UntagResourceCommand({ Resource, TagKeys: ['a'] }));
    assert.deepEqual((await t.client.send(new ListTagsCommand({ Resource }))).Tags, { b: '2' });
    assert.deepEqual(
      await refusalOf(create(t.client, 'q', { Tags: { 'aws:mine': '' } })),
      invalid('The tag key aws:mine is reserved: keys must not begin with aws:'),
    );
    assert.deepEqual(await refusalOf(get(t.client, 'q')), notFound(`${ARN}:q`));
  });

  test('has no function: a creation that names one is refused, and nothing is created', async () => {
    await using t = await startTestHost();
    await create(t.client, 'p');
    const request = await createRequest('f', {
      CapacityProviderConfig: {
        LambdaManagedInstancesCapacityProviderConfig: { CapacityProviderArn: `${ARN}:p` },
      },
    });
    assert.deepEqual(
      await refusalOf(t.client.send(new CreateFunctionCommand(request))),
      invalid('CapacityProviderConfig is not available on this host yet'),
    );
    const { name } = await refusalOf(t.client.send(new GetFunctionCommand({ FunctionName: 'f' })));
    assert.equal(name, 'ResourceNotFoundException');
    const { $metadata: _, ...listed } = await t.client.send(
      new ListFunctionVersionsByCapacityProviderCommand({ CapacityProviderName: 'p' }),
    );
    assert.deepEqual(listed, { CapacityProviderArn: `${ARN}:p`, FunctionVersions: [] });
  });

  test('is the same after a restart', async () => {
    await using dir = await dataDirectory();
    let before: unknown;
    {
      await using t = await startTestHost({ dataDir: dir.path });
      await create(t.client, 'p', { Tags: { k: 'v' }, PropagateTags: { Mode: 'None' } });
      before = await get(t.client, 'p');
    }
    await using t = await startTestHost({ dataDir: dir.path });
    assert.deepEqual(await get(t.client, 'p'), before);
    const { Tags } = await t.client.send(new ListTagsCommand({ Resource: `${ARN}:p` }));
    assert.deepEqual(Tags, { k: 'v' });
  });
});

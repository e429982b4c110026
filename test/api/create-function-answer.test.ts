// What CreateFunction answers, member by member, held against a recorded answer of the service.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { suite, test } from 'node:test';
import { zipOf } from '../support/bundle-fixtures.ts';
import { ARN, createRequest, returning } from '../support/functions.ts';
import { ROLE, startTestHost } from '../support/test-host.ts';
import { send } from '../support/wire.ts';

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** The answer to CreateFunction as JSON, without what differs from call to call, which is checked here. */
async function create(url: string, name: string, members: object, zip: Buffer) {
  const before = Date.now();
  const answer = await send(url, {
    method: 'POST',
    path: '/2015-03-31/functions',
    body: JSON.stringify({
      FunctionName: name,
      Runtime: 'nodejs24.x',
      Handler: 'index.handler',
      Role: ROLE,
      Code: { ZipFile: zip.toString('base64') },
      ...members,
    }),
  });
  assert.equal(answer.status, 201, answer.body);
  const { RevisionId, LastModified, RuntimeVersionConfig, ...rest } = answer.json as Record<
    string,
    unknown
  >;
  assert.match(String(RevisionId), uuid);
  assert.match(String(LastModified), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$/);
  const modified = Date.parse(String(LastModified));
  assert.ok(modified >= before && modified <= Date.now(), String(LastModified));
  const { RuntimeVersionArn } = RuntimeVersionConfig as Record<string, unknown>;
  assert.match(String(RuntimeVersionArn), /^arn:aws:lambda:us-east-1::runtime:[0-9a-f]{64}$/);
  return rest;
}

suite('The answer to CreateFunction', async () => {
  const zip = await zipOf(returning('event'));
  const ofZip = {
    CodeSize: zip.length,
    CodeSha256: createHash('sha256').update(zip).digest('base64'),
  };

  test('has the defaults of the recorded example and no other member', async () => {
    await using t = await startTestHost();
    assert.deepEqual(await create(t.url, 'f', {}, zip), {
      FunctionName: 'f',
      FunctionArn: `${ARN}:f`,
      Runtime: 'nodejs24.x',
      Role: ROLE,
      Handler: 'index.handler',
      ...ofZip,
      Description: '',
      Timeout: 3,
      MemorySize: 128,
      Version: '$LATEST',
      TracingConfig: { Mode: 'PassThrough' },
      State: 'Pending',
      StateReason: 'The function is being created.',
      StateReasonCode: 'Creating',
      PackageType: 'Zip',
      Architectures: ['x86_64'],
      EphemeralStorage: { Size: 512 },
      SnapStart: { ApplyOn: 'None', OptimizationStatus: 'Off' },
      LoggingConfig: { LogFormat: 'Text', LogGroup: '/aws/lambda/f' },
    });
  });

  test('shows every member that was given', async () => {
    await using t = await startTestHost();
    const given = {
      Runtime: 'nodejs22.x',
      Handler: 'dir/app.main',
      Description: 'all of it',
      Timeout: 900,
      MemorySize: 3008,
      PackageType: 'Zip',
      DeadLetterConfig: { TargetArn: 'arn:aws:sqs:us-east-1:000000000000:dead' },
      Environment: { Variables: { KEY: 'value', EMPTY: '' } },
      KMSKeyArn: 'arn:aws:kms:us-east-1:000000000000:key/k',
      TracingConfig: { Mode: 'Active' },
      FileSystemConfigs: [
        {
          Arn: 'arn:aws:elasticfilesystem:us-east-1:000000000000:access-point/fsap-0123456789abcdef0',
          LocalMountPath: '/mnt/data',
        },
      ],
      Architectures: ['arm64'],
      EphemeralStorage: { Size: 1024 },
      SnapStart: { ApplyOn: 'None' },
    };
    const answer = await create(
      t.url,
      'full',
      {
        ...given,
        Tags: { team: 'a' },
        LoggingConfig: { LogFormat: 'JSON', LogGroup: '/my/group', SystemLogLevel: 'DEBUG' },
        VpcConfig: { SubnetIds: ['subnet-1', 'subnet-2'], SecurityGroupIds: ['sg-1'] },
      },
      zip,
    );
    const { VpcConfig, ...rest } = answer;
    assert.deepEqual(rest, {
      FunctionName: 'full',
      FunctionArn: `${ARN}:full`,
      Role: ROLE,
      ...ofZip,
      Version: '$LATEST',
      State: 'Pending',
      StateReason: 'The function is being created.',
      StateReasonCode: 'Creating',
      ...given,
      SnapStart: { ApplyOn: 'None', OptimizationStatus: 'Off' },
      LoggingConfig: {
        LogFormat: 'JSON',
        ApplicationLogLevel: 'INFO',
        SystemLogLevel: 'DEBUG',
        LogGroup: '/my/group',
      },
    });
    const { VpcId, ...vpc } = VpcConfig as Record<string, unknown>;
    assert.match(String(VpcId), /^vpc-[0-9a-f]{17}$/);
    assert.deepEqual(vpc, {
      SubnetIds: ['subnet-1', 'subnet-2'],
      SecurityGroupIds: ['sg-1'],
      Ipv6AllowedForDualStack: false,
    });
  });

  test('tells an empty environment from none, and reads empty texts and lists as nothing', async () => {
    await using t = await startTestHost();
    const empty = { KMSKeyArn: '', DeadLetterConfig: { TargetArn: '' }, FileSystemConfigs: [] };
    const answer = await create(t.url, 'f', { Environment: {}, Layers: [], ...empty }, zip);
    assert.deepEqual(answer['Environment'], { Variables: {} });
    for (const member of ['Layers', ...Object.keys(empty)]) assert.equal(answer[member], undefined);
  });

  test('reads null members as absent and ignores what the model does not know', async () => {
    await using t = await startTestHost();
    const members = { Description: null, Environment: null, Timeout: null, Colour: 'red' };
    const answer = await create(t.url, 'f', members, zip);
    assert.equal(answer['Description'], '');
    assert.equal(answer['Timeout'], 3);
    assert.equal('Environment' in answer || 'Colour' in answer, false);
  });

  test('names the function whatever form its name was given in', async () => {
    await using t = await startTestHost();
    const forms = {
      'full-arn': `${ARN}:full-arn`,
      partial: '000000000000:function:partial',
      latest: 'latest:$LATEST',
    };
    for (const [name, form] of Object.entries(forms)) {
      const answer = await create(t.url, name, { FunctionName: form }, zip);
      assert.equal(answer['FunctionName'], name);
      assert.equal(answer['FunctionArn'], `${ARN}:${name}`);
    }
  });

  test('is what GetFunctionConfiguration shows once the function is Active', async () => {
    await using t = await startTestHost();
    const request = await createRequest('f', { Environment: { Variables: { A1: 'b' } } });
    await t.deploy('f', returning('event'), { ...request });
    const path = '/2015-03-31/functions/f/configuration';
    const { json } = await send(t.url, { path });
    const { State, LastUpdateStatus, RuntimeVersionConfig, ...rest } = json as Record<
      string,
      unknown
    >;
    assert.equal(State, 'Active');
    assert.equal(LastUpdateStatus, 'Successful');
    assert.ok(RuntimeVersionConfig);
    assert.deepEqual(rest['Environment'], { Variables: { A1: 'b' } });
    assert.equal('StateReason' in rest || 'LastUpdateStatusReason' in rest, false);
  });
});

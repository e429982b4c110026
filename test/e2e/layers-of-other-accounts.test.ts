// Layers of another account: read and used by those whom the policy of the layer version lets in, and by nobody else.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { suite, test } from 'node:test';
import {
  AddLayerVersionPermissionCommand,
  CreateFunctionCommand,
  GetLayerVersionByArnCommand,
  GetLayerVersionCommand,
  type LambdaClient,
  ListFunctionsCommand,
  PublishLayerVersionCommand,
  RemoveLayerVersionPermissionCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import { result } from '../support/function-answers.ts';
import { createRequest, evaluating } from '../support/functions.ts';
import { commonJsPackage, LAYER_ARN, publishLayer } from '../support/layers.ts';
import {
  createClient,
  deploy,
  invoke,
  startTestHost,
  type TestHost,
} from '../support/test-host.ts';
import { waitFor } from '../support/wait-for.ts';
import { type Refusal, refusalOf } from '../support/wire.ts';

const secretAccessKey = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';
const organization = 'o-0123456789';
/** Of the functions of the first user's account. */
const Role = 'arn:aws:iam::111111111111:role/r';

/** One user in each of two other accounts; the second account is of an organization. */
const users = [
  {
    accessKeyId: 'AKIAONE',
    secretAccessKey,
    account: '111111111111',
    principal: 'arn:aws:iam::111111111111:user/one',
    rights: 'admin',
  },
  {
    accessKeyId: 'AKIATWO',
    secretAccessKey,
    account: '222222222222',
    principal: 'arn:aws:iam::222222222222:user/two',
    rights: 'admin',
    organization,
  },
] as const;

/** Clients of both users, known to the running host. */
async function others(
  t: TestHost,
  stack: DisposableStack,
): Promise<readonly [LambdaClient, LambdaClient]> {
  const file = path.join(t.dataDir, 'secrets/credentials.json');
  await writeFile(file, JSON.stringify(users), { mode: 0o600 });
  const [one, two] = users.map(({ accessKeyId }) =>
    stack.adopt(createClient(t.url, accessKeyId), (client) => client.destroy()),
  );
  assert.ok(one !== undefined && two !== undefined);
  await waitFor('the keys are known', async () => {
    const answer = await one.send(new ListFunctionsCommand({})).catch((error: Error) => error.name);
    return answer !== 'UnrecognizedClientException';
  });
  return [one, two];
}

function denied(principal: string, arn: string): Refusal {
  return {
    status: 403,
    name: 'AccessDeniedException',
    message: `User: ${principal} is not authorized to perform: lambda:GetLayerVersion on resource: ${arn} because no resource-based policy allows the lambda:GetLayerVersion action`,
  };
}

async function permit(t: TestHost, Principal: string, more: { OrganizationId?: string } = {}) {
  const named = { LayerName: 'shared', VersionNumber: 1, StatementId: 'open' };
  const Action = 'lambda:GetLayerVersion';
  await t.client.send(
    new AddLayerVersionPermissionCommand({ ...named, Action, Principal, ...more }),
  );
}

async function close(t: TestHost): Promise<void> {
  const named = { LayerName: 'shared', VersionNumber: 1, StatementId: 'open' };
  await t.client.send(new RemoveLayerVersionPermissionCommand(named));
}

suite('A layer of another account', () => {
  test('is used once its policy lets the account in, and goes on being used when it does not any more', async () => {
    await using t = await startTestHost();
    using stack = new DisposableStack();
    const arn = await publishLayer(t.client, 'shared', commonJsPackage('shared', '"shared"'));
    const [one] = await others(t, stack);
    const read = () =>
      one.send(new GetLayerVersionCommand({ LayerName: `${LAYER_ARN}:shared`, VersionNumber: 1 }));
    const readByArn = () => one.send(new GetLayerVersionByArnCommand({ Arn: arn }));
    const create = async () =>
      one.send(new CreateFunctionCommand(await createRequest('g', { Role, Layers: [arn] })));
    const refusal = denied(users[0].principal, arn);
    for (const call of [read, readByArn, create])
      assert.deepEqual(await refusalOf(call()), refusal, call.toString());
    // Nor is it told whether another version, or a layer elsewhere, exists.
    for (const Layers of [
      [`${LAYER_ARN}:shared:9`],
      ['arn:aws:lambda:eu-west-1:000000000000:layer:shared:1'],
    ]) {
      const request = await createRequest('g', { Role, Layers });
      assert.deepEqual(
        await refusalOf(one.send(new CreateFunctionCommand(request))),
        denied(users[0].principal, String(Layers[0])),
      );
    }
    await permit(t, '111111111111');
    assert.equal((await read()).LayerVersionArn, arn);
    assert.equal((await readByArn()).LayerVersionArn, arn);
    const { Content } = await read();
    assert.equal((await fetch(Content?.Location ?? '')).status, 200);
    await deploy(one, 'g', evaluating, { Role, Layers: [arn] });
    await close(t);
    assert.deepEqual(await refusalOf(read()), refusal);
    assert.equal((await invoke(one, 'g', 'require("shared")')).payload, 'shared');
    const again = new UpdateFunctionConfigurationCommand({ FunctionName: 'g', Layers: [arn] });
    assert.deepEqual(await refusalOf(one.send(again)), refusal);
  });

  test('is open to an organization, or to everybody', async () => {
    await using t = await startTestHost();
    using stack = new DisposableStack();
    const arn = await publishLayer(t.client, 'shared', commonJsPackage('shared', '"shared"'));
    const [one, two] = await others(t, stack);
    await permit(t, '*', { OrganizationId: organization });
    const read = (client: LambdaClient) =>
      client.send(new GetLayerVersionByArnCommand({ Arn: arn }));
    assert.deepEqual(await refusalOf(read(one)), denied(users[0].principal, arn));
    assert.equal((await read(two)).LayerVersionArn, arn);
    await close(t);
    await permit(t, '*');
    assert.equal((await read(one)).LayerVersionArn, arn);
  });

  test('is another one than the own layer of that name, and nobody publishes to it', async () => {
    await using t = await startTestHost();
    using stack = new DisposableStack();
    await publishLayer(t.client, 'shared', commonJsPackage('shared', '"theirs"'));
    const [one] = await others(t, stack);
    const own = await publishLayer(one, 'shared', commonJsPackage('own', '"own"'));
    assert.equal(own, 'arn:aws:lambda:us-east-1:111111111111:layer:shared:1');
    await deploy(one, 'f', evaluating, { Role, Layers: [own] });
    assert.equal((await invoke(one, 'f', 'require("own")')).payload, 'own');
    await permit(t, '*');
    await t.deploy('f', evaluating, { Layers: [`${LAYER_ARN}:shared:1`] });
    assert.equal(await result(t, 'f', 'require("shared")'), 'theirs');
    // Both are layers called shared, but not two versions of one layer.
    await deploy(one, 'both', evaluating, { Role, Layers: [own, `${LAYER_ARN}:shared:1`] });
    const both = await invoke(one, 'both', '[require("own"), require("shared")]');
    assert.deepEqual(both.payload, ['own', 'theirs']);
    const intruding = new PublishLayerVersionCommand({
      LayerName: `${LAYER_ARN}:shared`,
      Content: { ZipFile: Buffer.from('PK') },
    });
    const { status, name } = await refusalOf(one.send(intruding));
    assert.deepEqual([status, name], [403, 'AccessDeniedException']);
  });
});

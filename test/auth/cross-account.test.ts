// What the policy of a function opens to callers of other accounts and to services, and what it denies, over the wire.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { suite, test } from 'node:test';
import {
  CreateAliasCommand,
  DeleteResourcePolicyCommand,
  GetAliasCommand,
  GetFunctionCommand,
  GetFunctionConfigurationCommand,
  InvokeCommand,
  LambdaClient,
  ListFunctionsCommand,
  ListTagsCommand,
  ListVersionsByFunctionCommand,
  PublishVersionCommand,
  PutFunctionRecursionConfigCommand,
  PutResourcePolicyCommand,
  TagResourceCommand,
  UpdateFunctionCodeCommand,
} from '@aws-sdk/client-lambda';
import type { CredentialEntry } from '../../host/auth/credential-file.ts';
import { zipOf } from '../support/bundle-fixtures.ts';
import { ARN, returning } from '../support/functions.ts';
import { permit, policyOf, sidsOf, withdraw } from '../support/policies.ts';
import {
  createClient,
  deploy,
  invoke,
  SECRET_ACCESS_KEY,
  startTestHost,
  type TestHost,
} from '../support/test-host.ts';
import { waitFor } from '../support/wait-for.ts';
import { type Refusal, refusalOf } from '../support/wire.ts';

const own = '000000000000';
const other = '222222222222';
const arn = `${ARN}:f`;

function entry(
  accessKeyId: string,
  account: string,
  rights: CredentialEntry['rights'],
  more: Partial<CredentialEntry> = {},
): CredentialEntry {
  const principal = `arn:aws:iam::${account}:user/${accessKeyId.toLowerCase()}`;
  return { accessKeyId, secretAccessKey: SECRET_ACCESS_KEY, account, principal, rights, ...more };
}

/** Keys by what they stand for: letters say whose they are, words what they may do. */
const entries = [
  entry('OTHERADMIN', other, 'admin', { organization: 'o-0123456789' }),
  entry('OTHERINVOKE', other, 'invoke'),
  entry('OTHERREAD', other, 'read'),
  entry('OWNADMIN', own, 'admin'),
  entry('OWNREAD', own, 'read'),
  entry('SERVICE', own, 'admin', { principal: 's3.amazonaws.com', sourceArn: 'arn:aws:s3:::b' }),
];

interface Place extends AsyncDisposable {
  readonly t: TestHost;
  /** A client with the key of that id. */
  as(accessKeyId: string): LambdaClient;
}

/** A host that knows the keys, with a function `f` of its own account that answers the ARN it was invoked by. */
async function prepare(): Promise<Place> {
  await using stack = new AsyncDisposableStack();
  const t = stack.use(await startTestHost());
  const file = path.join(t.dataDir, 'secrets/credentials.json');
  await writeFile(file, JSON.stringify(entries), { mode: 0o600 });
  const clients = new Map(
    entries.map(({ accessKeyId }) => [accessKeyId, createClient(t.url, accessKeyId)]),
  );
  stack.defer(() => {
    for (const client of clients.values()) client.destroy();
  });
  const as = (accessKeyId: string): LambdaClient => {
    const client = clients.get(accessKeyId);
    assert.ok(client !== undefined, accessKeyId);
    return client;
  };
  await waitFor('the keys are known', async () => {
    const list = as('OWNREAD').send(new ListFunctionsCommand());
    return await list.then(
      () => true,
      () => false,
    );
  });
  await t.deploy('f', {
    'index.mjs': 'export const handler = async (event, context) => context.invokedFunctionArn;',
  });
  const owned = stack.move();
  return { t, as, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

function denied(accessKeyId: string, action: string, resource: string, reason: string): Refusal {
  const principal = entries.find((each) => each.accessKeyId === accessKeyId)?.principal;
  return {
    status: 403,
    name: 'AccessDeniedException',
    message: `User: ${principal} is not authorized to perform: lambda:${action} on resource: ${resource} ${reason}`,
  };
}

function unopened(accessKeyId: string, action: string, resource = arn): Refusal {
  const reason = `because no resource-based policy allows the lambda:${action} action`;
  return denied(accessKeyId, action, resource, reason);
}

function withoutRight(accessKeyId: string, action: string, resource = arn): Refusal {
  const reason = `because no identity-based policy allows the lambda:${action} action`;
  return denied(accessKeyId, action, resource, reason);
}

const explicit = 'with an explicit deny in a resource-based policy';

async function putPolicy(
  { t }: Place,
  Statement: readonly unknown[],
  ResourceArn = arn,
): Promise<void> {
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement });
  await t.client.send(new PutResourcePolicyCommand({ ResourceArn, Policy }));
}

suite('A caller of another account', () => {
  test('may invoke what a policy opens to the account, by every name that says whose it is', async () => {
    await using place = await prepare();
    const client = place.as('OTHERINVOKE');
    const names = [arn, `${own}:function:f`, `${own}:f`, `us-east-1:${own}:function:f`];
    for (const name of names)
      assert.deepEqual(
        await refusalOf(invoke(client, name)),
        unopened('OTHERINVOKE', 'InvokeFunction'),
      );
    await permit(place.t.client, { Principal: other });
    for (const name of names) assert.equal((await invoke(client, name)).payload, arn);
    const dry = new InvokeCommand({ FunctionName: arn, InvocationType: 'DryRun' });
    assert.equal((await client.send(dry)).StatusCode, 204);
    await withdraw(place.t.client, 's');
    assert.deepEqual(await refusalOf(client.send(dry)), unopened('OTHERINVOKE', 'InvokeFunction'));
  });

  test('means a function of its own account by a bare name', async () => {
    await using place = await prepare();
    await permit(place.t.client, { Principal: '*' });
    const client = place.as('OTHERADMIN');
    const { message } = await refusalOf(invoke(client, 'f'));
    assert.equal(message, `Function not found: ${arn.replace(own, other)}:$LATEST`);
    await deploy(client, 'f', returning('"other"'), { Role: `arn:aws:iam::${other}:role/r` });
    assert.equal((await invoke(client, 'f')).payload, 'other');
    assert.equal((await invoke(client, arn)).payload, arn);
    const { Functions = [] } = await client.send(new ListFunctionsCommand());
    assert.deepEqual(
      Functions.map((each) => each.FunctionArn),
      [arn.replace(own, other)],
    );
  });

  test('needs the right on its own side too', async () => {
    await using place = await prepare();
    await permit(place.t.client, { Principal: '*', Action: '*' });
    assert.deepEqual(
      await refusalOf(invoke(place.as('OTHERREAD'), arn)),
      withoutRight('OTHERREAD', 'InvokeFunction'),
    );
    const get = new GetFunctionConfigurationCommand({ FunctionName: arn });
    assert.equal((await place.as('OTHERREAD').send(get)).FunctionArn, arn);
    assert.deepEqual(
      await refusalOf(place.as('OTHERINVOKE').send(get)),
      withoutRight('OTHERINVOKE', 'GetFunctionConfiguration'),
    );
  });

  test('is let in by the policy of what it addresses: function, version or alias', async () => {
    await using place = await prepare();
    const { client } = place.t;
    await client.send(new PublishVersionCommand({ FunctionName: 'f' }));
    const live = { FunctionName: 'f', Name: 'live', FunctionVersion: '1' };
    await client.send(new CreateAliasCommand(live));
    await permit(client, { Principal: other, Qualifier: 'live' });
    const caller = place.as('OTHERINVOKE');
    const refused = async (Qualifier?: string) =>
      await refusalOf(invoke(caller, arn, {}, { Qualifier }));
    assert.equal((await invoke(caller, arn, {}, { Qualifier: 'live' })).payload, `${arn}:live`);
    assert.equal((await invoke(caller, `${own}:function:f:live`)).payload, `${arn}:live`);
    assert.deepEqual(await refused(), unopened('OTHERINVOKE', 'InvokeFunction'));
    assert.deepEqual(await refused('1'), unopened('OTHERINVOKE', 'InvokeFunction', `${arn}:1`));
    await withdraw(client, 's', { Qualifier: 'live' });
    await permit(client, { Principal: other });
    assert.equal((await invoke(caller, arn)).payload, arn);
    assert.equal(
      (await invoke(caller, arn, {}, { Qualifier: '$LATEST' })).payload,
      `${arn}:$LATEST`,
    );
    assert.deepEqual(
      await refused('live'),
      unopened('OTHERINVOKE', 'InvokeFunction', `${arn}:live`),
    );
    assert.deepEqual(
      await refused('$LATEST.PUBLISHED'),
      unopened('OTHERINVOKE', 'InvokeFunction', `${arn}:$LATEST.PUBLISHED`),
    );
  });

  test('may change what a policy opens, in the account of the function', async () => {
    await using place = await prepare();
    const client = place.as('OTHERADMIN');
    const named = { FunctionName: arn };
    const publish = new PublishVersionCommand(named);
    assert.deepEqual(
      await refusalOf(client.send(publish)),
      unopened('OTHERADMIN', 'PublishVersion'),
    );
    await permit(place.t.client, { Principal: other, Action: 'lambda:*' });
    assert.equal((await client.send(publish)).FunctionArn, `${arn}:1`);
    await client.send(new CreateAliasCommand({ ...named, Name: 'live', FunctionVersion: '1' }));
    const alias = new GetAliasCommand({ ...named, Name: 'live' });
    assert.equal((await place.t.client.send(alias)).AliasArn, `${arn}:live`);
    const { Versions = [] } = await client.send(new ListVersionsByFunctionCommand(named));
    assert.equal(Versions.length, 2);
    await client.send(new TagResourceCommand({ Resource: arn, Tags: { by: 'other' } }));
    const { Tags } = await place.t.client.send(new ListTagsCommand({ Resource: arn }));
    assert.deepEqual(Tags, { by: 'other' });
    await permit(client, { FunctionName: arn, StatementId: 'more' });
    assert.deepEqual(await sidsOf(place.t.client), ['s', 'more']);
    assert.deepEqual(await policyOf(client, arn), await policyOf(place.t.client));
    await withdraw(client, 's', { FunctionName: arn });
    assert.deepEqual(await refusalOf(policyOf(client, arn)), unopened('OTHERADMIN', 'GetPolicy'));
  });

  test('is refused without a reason what no policy can open', async () => {
    await using place = await prepare();
    await permit(place.t.client, { Principal: '*', Action: '*' });
    const client = place.as('OTHERADMIN');
    const recursion = { FunctionName: arn, RecursiveLoop: 'Allow' } as const;
    const calls = [
      client.send(new PutFunctionRecursionConfigCommand(recursion)),
      client.send(new PutResourcePolicyCommand({ ResourceArn: arn, Policy: '{}' })),
      deploy(client, arn, returning('1')),
    ];
    for (const call of calls) {
      const { status, name, message } = await refusalOf(call);
      assert.deepEqual([status, name, message], [403, 'AccessDeniedException', 'UnknownError']);
    }
  });

  test('is named one by one or by its organization', async () => {
    await using place = await prepare();
    const [admin, invoker] = [place.as('OTHERADMIN'), place.as('OTHERINVOKE')];
    const refused = unopened('OTHERINVOKE', 'InvokeFunction');
    await permit(place.t.client, { Principal: `arn:aws:iam::${other}:user/otheradmin` });
    assert.equal((await invoke(admin, arn)).payload, arn);
    assert.deepEqual(await refusalOf(invoke(invoker, arn)), refused);
    await withdraw(place.t.client, 's');
    await permit(place.t.client, { PrincipalOrgID: 'o-0123456789' });
    assert.equal((await invoke(admin, arn)).payload, arn);
    assert.deepEqual(await refusalOf(invoke(invoker, arn)), refused);
    await withdraw(place.t.client, 's');
    await permit(place.t.client, { PrincipalOrgID: 'o-9999999999' });
    assert.equal((await refusalOf(invoke(admin, arn))).status, 403);
  });

  test('that is a function is named by its role', async () => {
    await using place = await prepare();
    const role = `arn:aws:iam::${other}:role/service-role/worker`;
    await deploy(
      place.as('OTHERADMIN'),
      'caller',
      returning(
        '[process.env.AWS_ACCESS_KEY_ID, process.env.AWS_SECRET_ACCESS_KEY, process.env.AWS_SESSION_TOKEN]',
      ),
      { Role: role },
    );
    const { payload } = await invoke(place.as('OTHERADMIN'), 'caller');
    const [accessKeyId, secretAccessKey, sessionToken] = payload as [string, string, string]; // as: what it returns
    using stack = new DisposableStack();
    const credentials = { accessKeyId, secretAccessKey, sessionToken };
    const client = stack.adopt(
      new LambdaClient({
        endpoint: place.t.url,
        region: 'us-east-1',
        maxAttempts: 1,
        credentials,
      }),
      (each) => each.destroy(),
    );
    const { message } = await refusalOf(invoke(client, arn));
    assert.match(message, /^User: arn:aws:sts::222222222222:assumed-role\/worker\/caller is not/);
    await permit(place.t.client, { Principal: `arn:aws:iam::${other}:role/service-role/another` });
    assert.equal((await refusalOf(invoke(client, arn))).status, 403);
    await permit(place.t.client, { StatementId: 'role', Principal: role });
    assert.equal((await invoke(client, arn)).payload, arn);
  });
});

suite('A caller of the own account', () => {
  test('may do what a policy allows to it by name or to everybody, not what it leaves to the account', async () => {
    await using place = await prepare();
    const client = place.as('OWNREAD');
    const refused = withoutRight('OWNREAD', 'InvokeFunction');
    assert.deepEqual(await refusalOf(invoke(client, 'f')), refused);
    await permit(place.t.client, { Principal: own });
    assert.deepEqual(await refusalOf(invoke(client, 'f')), refused);
    await permit(place.t.client, {
      StatementId: 'name',
      Principal: `arn:aws:iam::${own}:user/ownread`,
    });
    assert.equal((await invoke(client, 'f')).payload, arn);
    await withdraw(place.t.client, 'name');
    await permit(place.t.client, { StatementId: 'all' });
    assert.equal((await invoke(client, 'f')).payload, arn);
    // Lists have no policy, and neither has what does not exist.
    const list = new ListFunctionsCommand();
    assert.equal((await client.send(list)).Functions?.length, 1);
    assert.deepEqual(
      await refusalOf(invoke(client, 'gone')),
      withoutRight('OWNREAD', 'InvokeFunction', `${ARN}:gone`),
    );
  });

  test('may bring a large package where a policy lets it, and no other is read', async () => {
    await using place = await prepare();
    const client = place.as('OWNREAD');
    const noise = randomBytes(7_000_000).toString('latin1');
    const files = { ...returning('"new"'), 'noise.txt': noise };
    const update = new UpdateFunctionCodeCommand({
      FunctionName: 'f',
      ZipFile: await zipOf(files),
    });
    assert.deepEqual(
      await refusalOf(client.send(update)),
      withoutRight('OWNREAD', 'UpdateFunctionCode'),
    );
    await permit(place.t.client, { Action: 'lambda:UpdateFunctionCode' });
    assert.equal((await client.send(update)).FunctionArn, arn);
  });
});

suite('A denial', () => {
  const deny = { Effect: 'Deny', Action: 'lambda:*', Resource: arn };

  test('holds for everybody whom it names, administrators of the own account included', async () => {
    await using place = await prepare();
    const admin = { AWS: `arn:aws:iam::${own}:user/ownadmin` };
    await putPolicy(place, [
      { ...deny, Effect: 'Allow', Principal: '*' },
      { ...deny, Principal: admin },
    ]);
    const get = new GetFunctionCommand({ FunctionName: 'f' });
    assert.deepEqual(
      await refusalOf(place.as('OWNADMIN').send(get)),
      denied('OWNADMIN', 'GetFunction', arn, explicit),
    );
    assert.deepEqual(
      await refusalOf(invoke(place.as('OWNADMIN'), 'f')),
      denied('OWNADMIN', 'InvokeFunction', arn, explicit),
    );
    assert.equal((await invoke(place.as('OTHERADMIN'), arn)).payload, arn);
    assert.equal((await place.t.invoke('f')).payload, arn);
  });

  test('cannot shut out those who may mend it', async () => {
    await using place = await prepare();
    await putPolicy(place, [{ ...deny, Principal: '*' }]);
    assert.equal((await refusalOf(place.t.invoke('f'))).status, 403);
    assert.equal((await refusalOf(permit(place.t.client))).status, 403);
    const remove = new DeleteResourcePolicyCommand({ ResourceArn: arn });
    assert.equal((await refusalOf(place.as('OWNREAD').send(remove))).status, 403);
    assert.equal((await policyOf(place.t.client)).statements.length, 1);
    await place.t.client.send(remove);
    assert.equal((await place.t.invoke('f')).payload, arn);
  });

  test('of one qualifier leaves the others alone, and one with a condition those that do not meet it', async () => {
    await using place = await prepare();
    const { client } = place.t;
    await client.send(new PublishVersionCommand({ FunctionName: 'f' }));
    await putPolicy(place, [{ ...deny, Resource: '*', Principal: '*' }], `${arn}:1`);
    assert.equal((await place.t.invoke('f')).payload, arn);
    const pinned = await refusalOf(place.t.invoke('f', {}, { Qualifier: '1' }));
    assert.match(pinned.message, /function:f:1 with an explicit deny in a resource-based policy$/);
    const Condition = { StringNotEquals: { 'aws:PrincipalAccount': own } };
    await putPolicy(place, [
      { ...deny, Principal: '*', Condition },
      { ...deny, Effect: 'Allow', Principal: '*' },
    ]);
    assert.equal((await place.t.invoke('f')).payload, arn);
    assert.deepEqual(
      await refusalOf(invoke(place.as('OTHERADMIN'), arn)),
      denied('OTHERADMIN', 'InvokeFunction', arn, explicit),
    );
  });
});

suite('A service', () => {
  test('may do nothing by itself, and what a policy allows to it for the source that it acts for', async () => {
    await using place = await prepare();
    const client = place.as('SERVICE');
    const refused = unopened('SERVICE', 'InvokeFunction');
    assert.deepEqual(await refusalOf(invoke(client, 'f')), refused);
    assert.deepEqual(
      await refusalOf(client.send(new ListFunctionsCommand())),
      unopened('SERVICE', 'ListFunctions', '*'),
    );
    const Principal = 's3.amazonaws.com';
    await permit(place.t.client, { Principal: 'sns.amazonaws.com' });
    await permit(place.t.client, { StatementId: 'root', Principal: own });
    const wrongSource = { Principal, SourceArn: 'arn:aws:s3:::c*' };
    await permit(place.t.client, { StatementId: 'source', ...wrongSource });
    const wrongAccount = { Principal, SourceAccount: other };
    await permit(place.t.client, { StatementId: 'account', ...wrongAccount });
    assert.deepEqual(await refusalOf(invoke(client, 'f')), refused);
    const right = { Principal, SourceArn: 'arn:aws:s3:::b', SourceAccount: own };
    await permit(place.t.client, { StatementId: 'right', ...right });
    assert.equal((await invoke(client, 'f')).payload, arn);
    assert.equal((await invoke(client, arn)).payload, arn);
    await withdraw(place.t.client, 'right');
    assert.deepEqual(await refusalOf(invoke(client, 'f')), refused);
  });
});

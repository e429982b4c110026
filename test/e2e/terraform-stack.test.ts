// What Terraform's AWS provider calls for a whole stack (aws_iam_role with its policies, aws_lambda_layer_version, aws_lambda_function,
// aws_lambda_permission, aws_lambda_function_url): created, read back without drift, and destroyed to the last piece.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AddPermissionCommand,
  CreateFunctionCommand,
  CreateFunctionUrlConfigCommand,
  DeleteFunctionCommand,
  DeleteFunctionUrlConfigCommand,
  DeleteLayerVersionCommand,
  GetFunctionCodeSigningConfigCommand,
  GetFunctionCommand,
  GetFunctionUrlConfigCommand,
  GetLayerVersionCommand,
  GetPolicyCommand,
  type LambdaClient,
  ListLayersCommand,
  ListVersionsByFunctionCommand,
  RemovePermissionCommand,
} from '@aws-sdk/client-lambda';
import { createRequest } from '../support/functions.ts';
import { allows, TRUST } from '../support/iam-documents.ts';
import { publishLayer } from '../support/layers.ts';
import { memberOf, query, queryResult, refusal, textOf } from '../support/query-client.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';
import { membersOf } from '../support/versions.ts';
import { waitFor } from '../support/wait-for.ts';
import { refusalOf } from '../support/wire.ts';

const RoleName = 'stack-role';
const FunctionName = 'stack';
const PolicyName = 'logs';
const BASIC = 'arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole';
const OWN = 'arn:aws:iam::000000000000:policy/own';

async function act(url: string, action: string, parameters: Record<string, string>): Promise<void> {
  const { status, text } = await query(url, action, parameters);
  assert.equal(status, 200, text);
}

async function createRole(url: string): Promise<string> {
  const tags = { 'Tags.member.1.Key': 'stack', 'Tags.member.1.Value': 'one' };
  const role = { RoleName, AssumeRolePolicyDocument: TRUST, ...tags };
  const { Role } = await queryResult(url, 'CreateRole', role);
  await queryResult(url, 'CreatePolicy', { PolicyName: 'own', PolicyDocument: allows('sqs:*') });
  for (const PolicyArn of [BASIC, OWN]) await act(url, 'AttachRolePolicy', { RoleName, PolicyArn });
  await act(url, 'PutRolePolicy', { RoleName, PolicyName, PolicyDocument: allows('logs:*') });
  return textOf(memberOf(Role, 'Arn'));
}

async function createFunction(t: TestHost, Role: string, layer: string): Promise<void> {
  const { client } = t;
  const request = await createRequest(FunctionName, { Role, Layers: [layer], Publish: true });
  await client.send(new CreateFunctionCommand(request));
  await waitFor('the function is active', async () => {
    const { Configuration } = await client.send(new GetFunctionCommand({ FunctionName }));
    return Configuration?.State === 'Active';
  });
}

async function createUrl(client: LambdaClient): Promise<void> {
  await client.send(new CreateFunctionUrlConfigCommand({ FunctionName, AuthType: 'NONE' }));
  const open = {
    FunctionName,
    StatementId: 'FunctionURLAllowPublicAccess',
    Action: 'lambda:InvokeFunctionUrl',
    Principal: '*',
    FunctionUrlAuthType: 'NONE',
  } as const;
  await client.send(new AddPermissionCommand(open));
}

/** All that the resources are refreshed from. */
async function refresh({ client, url }: TestHost, layer: string): Promise<unknown> {
  const named = { FunctionName };
  const { Code: _link, ...found } = await client.send(new GetFunctionCommand(named));
  const { Content: _content, ...version } = await client.send(
    new GetLayerVersionCommand({ LayerName: layer.replace(/:\d+$/, ''), VersionNumber: 1 }),
  );
  const answers = [
    found,
    version,
    await client.send(new ListVersionsByFunctionCommand({ ...named, MaxItems: 10_000 })),
    await client.send(new GetFunctionCodeSigningConfigCommand(named)),
    await client.send(new GetPolicyCommand(named)),
    await client.send(new GetFunctionUrlConfigCommand(named)),
  ].map((answer) => membersOf(answer));
  const identities: unknown[] = [
    await queryResult(url, 'GetCallerIdentity', {}, { service: 'sts' }),
    await queryResult(url, 'GetPolicy', { PolicyArn: OWN }),
    await queryResult(url, 'GetPolicyVersion', { PolicyArn: OWN, VersionId: 'v1' }),
    await queryResult(url, 'GetRolePolicy', { RoleName, PolicyName }),
  ];
  for (const action of ['GetRole', 'ListRolePolicies', 'ListAttachedRolePolicies', 'ListRoleTags'])
    identities.push(await queryResult(url, action, { RoleName }));
  return [...answers, ...identities];
}

async function removePermission(client: LambdaClient, StatementId: string): Promise<void> {
  await client.send(new RemovePermissionCommand({ FunctionName, StatementId }));
  await waitFor(`${StatementId} is gone`, async () => {
    const command = new GetPolicyCommand({ FunctionName });
    const policy = await client.send(command).catch((error: unknown) => refusalText(error));
    return typeof policy === 'string' || policy.Policy?.includes(StatementId) !== true;
  });
}

/** Rethrows what is no 404. */
function refusalText(error: unknown): string {
  if (error instanceof Error && error.name === 'ResourceNotFoundException') return error.message;
  throw error;
}

async function destroyRole(url: string): Promise<void> {
  for (const PolicyArn of [BASIC, OWN]) await act(url, 'DetachRolePolicy', { RoleName, PolicyArn });
  await act(url, 'DeleteRolePolicy', { RoleName, PolicyName });
  const { Versions } = await queryResult(url, 'ListPolicyVersions', { PolicyArn: OWN });
  assert.equal([Versions].flat().length, 1);
  await act(url, 'DeletePolicy', { PolicyArn: OWN });
  const profiles = await queryResult(url, 'ListInstanceProfilesForRole', { RoleName });
  assert.deepEqual(profiles, { InstanceProfiles: '', IsTruncated: 'false' });
  await act(url, 'DeleteRole', { RoleName });
}

test('Terraform creates a stack of a role, a layer, a function, permissions and a URL, sees no drift, and destroys it', async () => {
  await using t = await startTestHost();
  const { client, url } = t;
  const role = await createRole(url);
  const layer = await publishLayer(client, 'stack-layer', { 'a.txt': 'a' });
  await createFunction(t, role, layer);
  const principal = { StatementId: 'bucket', Principal: 's3.amazonaws.com' };
  const permission = { FunctionName, Action: 'lambda:InvokeFunction', ...principal };
  await client.send(new AddPermissionCommand(permission));
  await createUrl(client);

  const before = await refresh(t, layer);
  assert.deepEqual(await refresh(t, layer), before);
  const { Configuration } = await client.send(new GetFunctionCommand({ FunctionName }));
  assert.equal(Configuration?.Role, role);
  assert.deepEqual((await t.invoke(FunctionName, { a: 1 })).payload, { a: 1 });

  await removePermission(client, 'FunctionURLAllowPublicAccess');
  await client.send(new DeleteFunctionUrlConfigCommand({ FunctionName }));
  await removePermission(client, 'bucket');
  await client.send(new DeleteFunctionCommand({ FunctionName }));
  const LayerName = layer.replace(/:\d+$/, '');
  await client.send(new DeleteLayerVersionCommand({ LayerName, VersionNumber: 1 }));
  await destroyRole(url);

  const gone = await refusalOf(client.send(new GetFunctionCommand({ FunctionName })));
  assert.equal(gone.status, 404);
  assert.deepEqual((await client.send(new ListLayersCommand({}))).Layers, []);
  assert.equal((await queryResult(url, 'ListRoles'))['Roles'], '');
  assert.equal((await queryResult(url, 'ListPolicies'))['Policies'], '');
  assert.match(await refusal(url, 'GetRole', { RoleName }), /^404 NoSuchEntity: /);
  assert.deepEqual(t.reports, []);
});

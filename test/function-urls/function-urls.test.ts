// The index from a URL's id to its function: it follows every change, and a start finds what was there.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  CreateAliasCommand,
  CreateFunctionCommand,
  CreateFunctionUrlConfigCommand,
  DeleteFunctionCommand,
  DeleteFunctionUrlConfigCommand,
  UpdateFunctionUrlConfigCommand,
} from '@aws-sdk/client-lambda';
import { FunctionUrls, newUrlId } from '../../host/function-urls/function-urls.ts';
import { functionUrl } from '../../host/function-urls/url.ts';
import { startApiHost } from '../support/api-host.ts';
import { createRequest } from '../support/functions.ts';

function idOf(url: string | undefined): string {
  return new URL(url ?? '').hostname.split('.')[0] ?? '';
}

suite('A URL id', () => {
  test('leads to its function or alias as long as there is the URL', async () => {
    await using host = await startApiHost();
    const { client, functions } = host;
    const urls = new FunctionUrls(functions);
    await client.send(new CreateFunctionCommand(await createRequest('f')));
    const named = { FunctionName: 'f' };
    await client.send(
      new CreateAliasCommand({ ...named, Name: 'PROD', FunctionVersion: '$LATEST' }),
    );
    const AuthType = 'NONE';
    const own = await client.send(new CreateFunctionUrlConfigCommand({ ...named, AuthType }));
    const alias = await client.send(
      new CreateFunctionUrlConfigCommand({ ...named, AuthType, Qualifier: 'PROD' }),
    );
    const [ownId, aliasId] = [idOf(own.FunctionUrl), idOf(alias.FunctionUrl)];
    const owner = { account: '000000000000', region: 'us-east-1', name: 'f' };
    await client.send(new UpdateFunctionUrlConfigCommand({ ...named, AuthType: 'AWS_IAM' }));
    // The second index reads what is there, as after a start; the first has heard of it.
    for (const index of [urls, new FunctionUrls(functions)]) {
      assert.deepEqual(index.find(ownId), { ...owner, qualifier: '$LATEST' });
      assert.deepEqual(index.find(aliasId), { ...owner, qualifier: 'PROD' });
      assert.equal(index.find('0'.repeat(32)), undefined);
    }
    await client.send(new DeleteFunctionUrlConfigCommand(named));
    assert.equal(urls.find(ownId), undefined);
    assert.deepEqual(urls.find(aliasId), { ...owner, qualifier: 'PROD' });
    await client.send(new DeleteFunctionCommand(named));
    assert.equal(urls.find(aliasId), undefined);
  });

  test('is made anew as long as there is a URL that has it', () => {
    const taken = { account: '', region: '', name: '', qualifier: '' };
    const find = (id: string) => (id === 'aa' ? taken : undefined);
    const made = ['a-a', 'a-a', 'b-b'];
    assert.equal(
      newUrlId({ find }, () => made.shift() ?? ''),
      'bb',
    );
  });
});

suite('A function URL', () => {
  test('has its labels before the name of the host, which an address cannot bear', () => {
    for (const [origin, url] of [
      ['https://lambda.example', 'https://id.lambda-url.eu-west-1.lambda.example/'],
      ['http://localhost:9001', 'http://id.lambda-url.eu-west-1.localhost:9001/'],
      ['http://127.0.0.1:9001', 'http://id.lambda-url.eu-west-1.localhost:9001/'],
      ['https://[::1]:9001', 'https://id.lambda-url.eu-west-1.localhost:9001/'],
      ['http://', 'http://id.lambda-url.eu-west-1.localhost/'],
    ] as const)
      assert.equal(functionUrl(origin, 'eu-west-1', 'id'), url);
  });
});

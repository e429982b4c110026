// Tags: adding, replacing and taking away, their limits, and resources that are not there or carry none.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  CreateFunctionCommand,
  GetFunctionCommand,
  GetFunctionConfigurationCommand,
  type LambdaClient,
  ListTagsCommand,
  TagResourceCommand,
  UntagResourceCommand,
} from '@aws-sdk/client-lambda';
import { dataDirectory } from '../support/data-directory.ts';
import { ARN, createRequest, returning } from '../support/functions.ts';
import { startTestHost } from '../support/test-host.ts';
import { invalid, type Refusal, refusalOf, send, unfit } from '../support/wire.ts';

const f = `${ARN}:f`;

async function tagsOf(client: LambdaClient, Resource: string): Promise<unknown> {
  return (await client.send(new ListTagsCommand({ Resource }))).Tags;
}

function many(count: number, from = 0): Record<string, string> {
  const keys = Array.from({ length: count }, (_, index) => `k${from + index}`);
  return Object.fromEntries(keys.map((key) => [key, 'v']));
}

/** The three operations on a resource, each as it would be allowed on another one. */
function calls(client: LambdaClient, Resource: string): readonly Promise<unknown>[] {
  return [
    client.send(new ListTagsCommand({ Resource })),
    client.send(new TagResourceCommand({ Resource, Tags: { k: 'v' } })),
    client.send(new UntagResourceCommand({ Resource, TagKeys: ['k'] })),
  ];
}

async function expectAll(refused: readonly Promise<unknown>[], expected: Refusal): Promise<void> {
  for (const call of await Promise.all(refused.map((each) => refusalOf(each))))
    assert.deepEqual(call, expected);
}

suite('Tags', () => {
  test('are merged, replaced by key, taken away by key, and shown in the order of their keys', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'));
    assert.deepEqual(await tagsOf(t.client, f), {});
    const added = await t.client.send(
      new TagResourceCommand({ Resource: f, Tags: { b: '1', a: 'x', empty: '' } }),
    );
    assert.equal(added.$metadata.httpStatusCode, 204);
    await t.client.send(new TagResourceCommand({ Resource: f, Tags: { b: '2', aa: 'äöü + @' } }));
    const { body } = await send(t.url, { path: `/2017-03-31/tags/${encodeURIComponent(f)}` });
    assert.equal(body, '{"Tags":{"a":"x","aa":"äöü + @","b":"2","empty":""}}');
    const taken = await t.client.send(
      new UntagResourceCommand({ Resource: f, TagKeys: ['a', 'empty', 'never there'] }),
    );
    assert.equal(taken.$metadata.httpStatusCode, 204);
    assert.deepEqual(await tagsOf(t.client, f), { aa: 'äöü + @', b: '2' });
  });

  test('of a function are those it was created with, and GetFunction shows what is left', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'), { Tags: { made: 'here' } });
    assert.deepEqual(await tagsOf(t.client, f), { made: 'here' });
    await t.client.send(new TagResourceCommand({ Resource: f, Tags: { later: '1' } }));
    const get = new GetFunctionCommand({ FunctionName: 'f' });
    assert.deepEqual((await t.client.send(get)).Tags, { made: 'here', later: '1' });
    await t.client.send(new UntagResourceCommand({ Resource: f, TagKeys: ['made', 'later'] }));
    assert.equal((await t.client.send(get)).Tags, undefined);
  });

  test('leave revision and time of the function as they are', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'));
    const shown = async () => {
      const { $metadata: _, ...configuration } = await t.client.send(
        new GetFunctionConfigurationCommand({ FunctionName: 'f' }),
      );
      return configuration;
    };
    const before = await shown();
    await t.client.send(new TagResourceCommand({ Resource: f, Tags: { k: 'v' } }));
    await t.client.send(new UntagResourceCommand({ Resource: f, TagKeys: ['k'] }));
    assert.deepEqual(await shown(), before);
  });

  test('added at the same time are all kept', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'));
    await Promise.all(
      Object.entries(many(20)).map(([key, value]) =>
        t.client.send(new TagResourceCommand({ Resource: f, Tags: { [key]: value } })),
      ),
    );
    assert.deepEqual(await tagsOf(t.client, f), many(20));
  });

  test('are at most fifty, counted after the merge, and creation counts alike', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'), { Tags: many(49) });
    const tooMany = invalid('Number of tags exceeds resource tag limit.');
    const add = (Tags: Record<string, string>) =>
      t.client.send(new TagResourceCommand({ Resource: f, Tags }));
    assert.deepEqual(await refusalOf(add(many(2, 49))), tooMany);
    assert.deepEqual(await tagsOf(t.client, f), many(49));
    await add({ k49: 'v', k0: 'other' });
    assert.deepEqual(await refusalOf(add({ one: 'more' })), tooMany);
    assert.deepEqual(await tagsOf(t.client, f), { ...many(50), k0: 'other' });
    const create = new CreateFunctionCommand(await createRequest('g', { Tags: many(51) }));
    assert.deepEqual(await refusalOf(t.client.send(create)), tooMany);
  });

  test('are refused when they are none, reserved, or of no permitted form', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'), { Tags: { k: 'v' } });
    const add = (Tags: Record<string, string>) =>
      refusalOf(t.client.send(new TagResourceCommand({ Resource: f, Tags })));
    assert.deepEqual(
      await add({}),
      invalid('An error occurred and the request cannot be processed.'),
    );
    assert.deepEqual(
      await add({ fine: '', 'AWS:mine': '' }),
      invalid('The tag key AWS:mine is reserved: keys must not begin with aws:'),
    );
    const pattern = String.raw`Member must satisfy regular expression pattern: ([\p{L}\p{Z}\p{N}_.:/=+\-@]*)`;
    assert.deepEqual(
      await add({ 'a#b': '' }),
      unfit(
        `Value '{a#b=}' at 'tags' failed to satisfy constraint: Map keys must satisfy constraint: [Member must have length less than or equal to 128, Member must have length greater than or equal to 1, ${pattern}]`,
      ),
    );
    assert.deepEqual(
      await add({ a: 'v'.repeat(257) }),
      unfit(
        `Value '{a=${'v'.repeat(257)}}' at 'tags' failed to satisfy constraint: Map value must satisfy constraint: [Member must have length less than or equal to 256, Member must have length greater than or equal to 0, ${pattern}, Member must not be null]`,
      ),
    );
    const remove = new UntagResourceCommand({ Resource: f, TagKeys: [] });
    assert.deepEqual(
      await refusalOf(t.client.send(remove)),
      unfit("Value null at 'tagKeys' failed to satisfy constraint: Member must not be null"),
    );
    assert.deepEqual(await tagsOf(t.client, f), { k: 'v' });
  });

  test('are not found on what is not there, in the words of each kind', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'));
    const prefix = 'arn:aws:lambda:us-east-1:000000000000';
    const csc = `${prefix}:code-signing-config:csc-0123456789abcdefg`;
    const mapping = `${prefix}:event-source-mapping:01234567-89ab-4cde-8f01-23456789abcd`;
    const provider = `${prefix}:capacity-provider:missing`;
    const elsewhere = 'arn:aws:lambda:eu-west-1:000000000000:function:f';
    const missing: readonly (readonly [arn: string, message: string])[] = [
      [`${ARN}:missing`, `Function not found: ${ARN}:missing`],
      [elsewhere, `Function not found: ${elsewhere}`],
      [mapping, `Event source mapping not found: ${mapping}`],
      [provider, `Capacity provider not found: ${provider}`],
      [csc, `The Lambda code signing configuration ${csc} can not be found.`],
    ];
    for (const [arn, message] of missing)
      await expectAll(calls(t.client, arn), {
        status: 404,
        name: 'ResourceNotFoundException',
        message,
      });
  });

  test('are refused on versions and aliases, whether or not those are there', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'), { Publish: true });
    for (const qualified of [`${f}:1`, `${f}:$LATEST`, `${f}:PROD`, `${ARN}:missing:1`])
      await expectAll(
        calls(t.client, qualified),
        invalid(
          'Tags on function aliases and versions are not supported. Please specify a function ARN.',
        ),
      );
  });

  test('are refused on what is no taggable ARN, and on an ARN of another account', async () => {
    await using t = await startTestHost();
    const quoted = String.raw`arn:(aws[a-zA-Z-]*):lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:(function:[a-zA-Z0-9-_]+(:(\$LATEST|[a-zA-Z0-9-_]+))?|layer:([a-zA-Z0-9-_]+)|code-signing-config:csc-[a-z0-9]{17}|event-source-mapping:[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|capacity-provider:[a-zA-Z0-9-_]+)`;
    for (const Resource of ['f', 'arn:aws:lambda:us-east-1:000000000000:table:t'])
      await expectAll(
        calls(t.client, Resource),
        unfit(
          `Value '${Resource}' at 'resource' failed to satisfy constraint: Member must satisfy regular expression pattern: ${quoted}`,
        ),
      );
    const foreign = calls(t.client, 'arn:aws:lambda:us-east-1:111111111111:function:f');
    for (const { name } of await Promise.all(foreign.map((call) => refusalOf(call))))
      assert.equal(name, 'AccessDeniedException');
  });

  test('are the same after a restart', async () => {
    await using dir = await dataDirectory();
    {
      await using t = await startTestHost({ dataDir: dir.path });
      await t.deploy('f', returning('1'), { Tags: { a: '1', b: '2' } });
      await t.client.send(new TagResourceCommand({ Resource: f, Tags: { c: 'ключ' } }));
      await t.client.send(new UntagResourceCommand({ Resource: f, TagKeys: ['a'] }));
    }
    await using t = await startTestHost({ dataDir: dir.path });
    assert.deepEqual(await tagsOf(t.client, f), { b: '2', c: 'ключ' });
  });
});

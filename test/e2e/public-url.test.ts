// A host behind a name of its own: it is called where it listens, and hands out the name.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GetFunctionCommand } from '@aws-sdk/client-lambda';
import { returning } from '../support/functions.ts';
import { startTestHost } from '../support/test-host.ts';

test('A host with a public URL is found where it listens; links and functions get the public one', async () => {
  const there = 'https://lambda.example.org';
  await using t = await startTestHost({ args: ['--public-url', there] });
  assert.equal(t.host.publicUrl, there);
  assert.match(t.host.listenUrl, /^http:\/\/127\.0\.0\.1:[1-9]\d*$/);
  await t.deploy('f', returning('process.env.AWS_ENDPOINT_URL_LAMBDA'));
  assert.equal((await t.invoke('f')).payload, there);
  const { Code } = await t.client.send(new GetFunctionCommand({ FunctionName: 'f' }));
  assert.ok(Code?.Location?.startsWith(`${there}/_lambkin/code/`), Code?.Location);
});

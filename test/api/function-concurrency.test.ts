// Reserved concurrency: kept, shown, taken away; sums over the account hold whatever is asked for at the same time.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  DeleteFunctionCommand,
  DeleteFunctionConcurrencyCommand,
  GetAccountSettingsCommand,
  GetFunctionCommand,
  GetFunctionConcurrencyCommand,
  type LambdaClient,
  PutFunctionConcurrencyCommand,
} from '@aws-sdk/client-lambda';
import { startApiHost } from '../support/api-host.ts';
import { dataDirectory } from '../support/data-directory.ts';
import { ARN } from '../support/functions.ts';
import { created, membersOf } from '../support/versions.ts';
import { invalid, refusalOf, unfit } from '../support/wire.ts';

const TOO_MUCH = (min: number) =>
  invalid(
    `Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [${min}].`,
  );

const WHOLE_FUNCTIONS = invalid(
  'This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please specify either a function name or an unqualified function ARN.',
);

async function reserve(
  client: LambdaClient,
  FunctionName: string,
  ReservedConcurrentExecutions: number,
) {
  const input = { FunctionName, ReservedConcurrentExecutions };
  return membersOf(await client.send(new PutFunctionConcurrencyCommand(input)));
}

async function reserved(client: LambdaClient, FunctionName: string) {
  return membersOf(await client.send(new GetFunctionConcurrencyCommand({ FunctionName })));
}

async function unreserve(client: LambdaClient, FunctionName: string) {
  return await client.send(new DeleteFunctionConcurrencyCommand({ FunctionName }));
}

async function unreserved(client: LambdaClient) {
  const { AccountLimit } = await client.send(new GetAccountSettingsCommand({}));
  return AccountLimit?.UnreservedConcurrentExecutions;
}

suite('Reserved concurrency', () => {
  test('is put, replaced, shown by GetFunction too, and deleted, however often', async () => {
    await using host = await startApiHost();
    const { client } = host;
    await created(client, 'f');
    const shown = async () =>
      (await client.send(new GetFunctionCommand({ FunctionName: 'f' }))).Concurrency;
    assert.deepEqual(await reserved(client, 'f'), {});
    assert.equal(await shown(), undefined);
    for (const n of [5, 0, 7]) {
      assert.deepEqual(await reserve(client, 'f', n), { ReservedConcurrentExecutions: n });
      assert.deepEqual(await reserved(client, `${ARN}:f`), { ReservedConcurrentExecutions: n });
      assert.deepEqual(await shown(), { ReservedConcurrentExecutions: n });
      assert.equal(await unreserved(client), 1_000 - n);
    }
    for (let i = 0; i < 2; i += 1)
      assert.equal((await unreserve(client, 'f')).$metadata.httpStatusCode, 204);
    assert.deepEqual(await reserved(client, 'f'), {});
    assert.equal(await shown(), undefined);
    assert.equal(await unreserved(client), 1_000);
  });

  test('belongs to whole functions: a qualifier is refused before anything is looked up', async () => {
    await using host = await startApiHost();
    const { client } = host;
    for (const name of ['f:1', 'f:live', 'f:$LATEST', `${ARN}:f:1`]) {
      assert.deepEqual(await refusalOf(reserve(client, name, 1)), WHOLE_FUNCTIONS, name);
      assert.deepEqual(await refusalOf(reserved(client, name)), WHOLE_FUNCTIONS, name);
      assert.deepEqual(await refusalOf(unreserve(client, name)), WHOLE_FUNCTIONS, name);
    }
  });

  test('of a function that does not exist is not found, in words of each operation', async () => {
    await using host = await startApiHost();
    const { client } = host;
    const missing = (arn: string) => ({
      status: 404,
      name: 'ResourceNotFoundException',
      message: `Function not found: ${arn}`,
    });
    assert.deepEqual(await refusalOf(reserve(client, 'f', 1)), missing(`${ARN}:f:$LATEST`));
    // The account's limit comes after.
    assert.deepEqual(await refusalOf(reserve(client, 'f', 9999)), missing(`${ARN}:f:$LATEST`));
    assert.deepEqual(await refusalOf(reserved(client, 'f')), missing(`${ARN}:f`));
    assert.deepEqual(await refusalOf(unreserve(client, 'f')), missing(`${ARN}:f`));
  });

  test('is a number from zero on', async () => {
    await using host = await startApiHost();
    const { client } = host;
    await created(client, 'f');
    assert.deepEqual(
      await refusalOf(reserve(client, 'f', -1)),
      unfit(
        "Value '-1' at 'reservedConcurrentExecutions' failed to satisfy constraint: Member must have value greater than or equal to 0",
      ),
    );
  });

  test('leaves a hundred of the account to all others, and an error changes nothing', async () => {
    await using host = await startApiHost();
    const { client } = host;
    await created(client, 'f');
    await created(client, 'g');
    await reserve(client, 'f', 500);
    assert.deepEqual(await refusalOf(reserve(client, 'g', 401)), TOO_MUCH(100));
    assert.deepEqual(await reserved(client, 'g'), {});
    await reserve(client, 'g', 400);
    assert.equal(await unreserved(client), 100);
    assert.deepEqual(await refusalOf(reserve(client, 'f', 501)), TOO_MUCH(100));
    assert.deepEqual(await reserved(client, 'f'), { ReservedConcurrentExecutions: 500 });
    // What it has itself does not count against it.
    await reserve(client, 'f', 300);
    await reserve(client, 'f', 500);
    await client.send(new DeleteFunctionCommand({ FunctionName: 'g' }));
    assert.equal(await unreserved(client), 500);
    await reserve(client, 'f', 900);
  });

  test('leaves all of a small account to all, and zero stops a function there too', async () => {
    await using host = await startApiHost({ accountConcurrency: 10 });
    const { client } = host;
    await created(client, 'f');
    assert.deepEqual(await refusalOf(reserve(client, 'f', 1)), TOO_MUCH(10));
    assert.deepEqual(await reserve(client, 'f', 0), { ReservedConcurrentExecutions: 0 });
  });

  test('is never promised twice, whatever is asked for at the same time', async () => {
    await using host = await startApiHost();
    const { client } = host;
    const names = Array.from({ length: 14 }, (_, i) => `f${i}`);
    for (const name of names) await created(client, name);
    const ended = await Promise.allSettled(names.map((name) => reserve(client, name, 100)));
    assert.equal(ended.filter(({ status }) => status === 'fulfilled').length, 9);
    for (const end of ended)
      if (end.status === 'rejected') assert.equal(end.reason.message, TOO_MUCH(100).message);
    assert.equal(await unreserved(client), 100);
    let sum = 0;
    for (const name of names)
      sum += (await reserved(client, name)).ReservedConcurrentExecutions ?? 0;
    assert.equal(sum, 900);
  });

  test('is there after a restart, and a function created anew has none', async () => {
    await using dir = await dataDirectory();
    {
      await using host = await startApiHost({ dataDir: dir.path });
      await created(host.client, 'f');
      await created(host.client, 'again');
      await reserve(host.client, 'f', 800);
      await reserve(host.client, 'again', 50);
      await host.client.send(new DeleteFunctionCommand({ FunctionName: 'again' }));
      await created(host.client, 'again');
    }
    await using host = await startApiHost({ dataDir: dir.path });
    assert.deepEqual(await reserved(host.client, 'f'), { ReservedConcurrentExecutions: 800 });
    assert.deepEqual(await reserved(host.client, 'again'), {});
    assert.equal(await unreserved(host.client), 200);
    assert.deepEqual(await refusalOf(reserve(host.client, 'again', 101)), TOO_MUCH(100));
  });
});

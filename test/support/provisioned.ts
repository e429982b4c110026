// Provisioned concurrency as tests put it and wait for it.
import {
  DeleteProvisionedConcurrencyConfigCommand,
  GetProvisionedConcurrencyConfigCommand,
  type LambdaClient,
  ListProvisionedConcurrencyConfigsCommand,
  type ProvisionedConcurrencyStatusEnum,
  PutProvisionedConcurrencyConfigCommand,
} from '@aws-sdk/client-lambda';
import { membersOf } from './versions.ts';
import { waitFor } from './wait-for.ts';

export async function provision(
  client: LambdaClient,
  FunctionName: string,
  Qualifier: string,
  ProvisionedConcurrentExecutions: number,
) {
  const input = { FunctionName, Qualifier, ProvisionedConcurrentExecutions };
  return membersOf(await client.send(new PutProvisionedConcurrencyConfigCommand(input)));
}

export async function provisionedOf(client: LambdaClient, FunctionName: string, Qualifier: string) {
  const input = { FunctionName, Qualifier };
  return membersOf(await client.send(new GetProvisionedConcurrencyConfigCommand(input)));
}

export async function unprovision(client: LambdaClient, FunctionName: string, Qualifier: string) {
  const input = { FunctionName, Qualifier };
  return await client.send(new DeleteProvisionedConcurrencyConfigCommand(input));
}

export async function provisionedList(
  client: LambdaClient,
  FunctionName: string,
  more: { readonly Marker?: string | undefined; readonly MaxItems?: number } = {},
) {
  const input = { FunctionName, ...more };
  return membersOf(await client.send(new ListProvisionedConcurrencyConfigsCommand(input)));
}

/** Waits until a config has this status, and returns it. */
export async function untilProvisioned(
  client: LambdaClient,
  name: string,
  qualifier: string,
  status: ProvisionedConcurrencyStatusEnum = 'READY',
) {
  let shown: Awaited<ReturnType<typeof provisionedOf>> = {};
  await waitFor(`${name}:${qualifier} is ${status}`, async () => {
    shown = await provisionedOf(client, name, qualifier);
    return shown.Status === status;
  });
  return shown;
}

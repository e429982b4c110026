// Functions with versions and aliases, and everything that the API shows of them.
import {
  CreateAliasCommand,
  type CreateAliasCommandInput,
  CreateFunctionCommand,
  type CreateFunctionCommandInput,
  type FunctionConfiguration,
  GetFunctionConfigurationCommand,
  type LambdaClient,
  ListAliasesCommand,
  ListFunctionsCommand,
  ListVersionsByFunctionCommand,
  PublishVersionCommand,
  type PublishVersionCommandInput,
  UpdateFunctionConfigurationCommand,
  type UpdateFunctionConfigurationCommandInput,
} from '@aws-sdk/client-lambda';
import { createRequest } from './functions.ts';
import { waitFor } from './wait-for.ts';

type Changes = Partial<UpdateFunctionConfigurationCommandInput>;

/** Creates a function and waits until it has settled. */
export async function created(
  client: LambdaClient,
  name: string,
  more?: Partial<CreateFunctionCommandInput>,
): Promise<FunctionConfiguration> {
  await client.send(new CreateFunctionCommand(await createRequest(name, more)));
  return await settled(client, name);
}

/** Updates the configuration and waits until that has settled. */
export async function updated(
  client: LambdaClient,
  name: string,
  changes: Changes,
): Promise<FunctionConfiguration> {
  await client.send(new UpdateFunctionConfigurationCommand({ ...changes, FunctionName: name }));
  return await settled(client, name);
}

/** Waits until a function, or a version of it, is in no state that passes by itself. */
export async function settled(
  client: LambdaClient,
  FunctionName: string,
  Qualifier?: string,
): Promise<FunctionConfiguration> {
  let shown: FunctionConfiguration = {};
  await waitFor(`${FunctionName} is settled`, async () => {
    shown = await configurationOf(client, FunctionName, Qualifier);
    return shown.State !== 'Pending' && shown.LastUpdateStatus !== 'InProgress';
  });
  return shown;
}

/** As the API shows it, without what the SDK adds. */
export async function configurationOf(
  client: LambdaClient,
  FunctionName: string,
  Qualifier?: string,
): Promise<FunctionConfiguration> {
  const command = new GetFunctionConfigurationCommand({ FunctionName, Qualifier });
  return membersOf(await client.send(command));
}

/** Without what the SDK adds to an answer. */
export function membersOf<Answer extends { readonly $metadata: unknown }>(
  answer: Answer,
): Omit<Answer, '$metadata'> {
  const { $metadata: _, ...members } = answer;
  return members;
}

/** Publishes `$LATEST` as it is. */
export async function published(
  client: LambdaClient,
  name: string,
  more: Partial<PublishVersionCommandInput> = {},
): Promise<FunctionConfiguration> {
  const command = new PublishVersionCommand({ FunctionName: name, ...more });
  return membersOf(await client.send(command));
}

/** A function `name` with this many versions, each with another description. */
export async function withVersions(
  client: LambdaClient,
  name: string,
  count: number,
  more?: Partial<CreateFunctionCommandInput>,
): Promise<void> {
  await created(client, name, more);
  for (let number = 1; number <= count; number++) {
    if (number > 1) await updated(client, name, { Description: `for ${number}` });
    await published(client, name);
  }
}

export async function alias(
  client: LambdaClient,
  FunctionName: string,
  Name: string,
  FunctionVersion: string,
  more: Partial<CreateAliasCommandInput> = {},
) {
  const input = { FunctionName, Name, FunctionVersion, ...more };
  return membersOf(await client.send(new CreateAliasCommand(input)));
}

/** Weights of a request. */
export function weights(shares: Readonly<Record<string, number>>) {
  return { RoutingConfig: { AdditionalVersionWeights: shares } };
}

export async function versionsOf(
  client: LambdaClient,
  FunctionName: string,
): Promise<(string | undefined)[]> {
  const command = new ListVersionsByFunctionCommand({ FunctionName });
  const { Versions = [] } = await client.send(command);
  return Versions.map((each) => each.Version);
}

/** Everything that the API shows of all functions with their versions and aliases. For a page of each. */
export async function everythingOf(client: LambdaClient): Promise<unknown> {
  const everyVersion = new ListFunctionsCommand({ FunctionVersion: 'ALL' });
  const { Functions = [] } = await client.send(everyVersion);
  const versions: unknown[] = [];
  const aliases: unknown[] = [];
  for (const { FunctionName = '', Version } of Functions) {
    versions.push(await configurationOf(client, FunctionName, Version));
    if (Version === '$LATEST')
      aliases.push((await client.send(new ListAliasesCommand({ FunctionName }))).Aliases);
  }
  return { Functions, versions, aliases };
}

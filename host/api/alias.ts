// Aliases: names that point to one version, or to two that share the invocations.
import { requireRevision } from '../functions/lifecycle.ts';
import {
  aliasNotFound,
  functionArn,
  functionNotFound,
  resolveUnqualified,
} from '../functions/names.ts';
import type { AliasRecord } from '../functions/record.ts';
import { additionalVersion, checkRouting } from '../functions/routing.ts';
import { removalOf } from '../functions/target.ts';
import { ServiceError } from '../service-error.ts';
import type { OperationContext } from './context.ts';
import { requireFunction } from './function-view.ts';
import type { AliasConfiguration, CreateAliasRequest, UpdateAliasRequest } from './model/types.ts';
import { operation } from './operation.ts';
import { page } from './pagination.ts';

const PAGE_CAP = 50;

async function createAlias(
  input: CreateAliasRequest,
  context: OperationContext,
): Promise<AliasConfiguration> {
  const { account, region, functions } = context;
  const functionName = resolveUnqualified(context, input.FunctionName);
  const alias: AliasRecord = {
    name: input.Name,
    version: input.FunctionVersion,
    description: input.Description ?? '',
    revisionId: context.stamp().newId(),
    additional: additionalVersion(input.RoutingConfig),
  };
  await functions.change(account, region, functionName, (current) => {
    if (current === undefined) throw functionNotFound(context, functionName, alias.version);
    checkRouting(current, alias);
    if (current.part('alias', alias.name) !== undefined)
      throw new ServiceError(
        'ResourceConflictException',
        `Alias already exists: ${functionArn(context, functionName, alias.name)}`,
      );
    const parts = [{ kind: 'alias', name: alias.name, value: alias }] as const;
    return { change: { root: current.root, parts }, result: undefined };
  });
  return aliasConfiguration(context, functionName, alias);
}

export const CreateAlias = operation('CreateAlias', createAlias);

export const GetAlias = operation('GetAlias', async (input, context) => {
  const { account, region, functions } = context;
  const functionName = resolveUnqualified(context, input.FunctionName);
  const alias = functions.held(account, region, functionName)?.part('alias', input.Name);
  if (alias === undefined) throw aliasNotFound(context, functionName, input.Name);
  return aliasConfiguration(context, functionName, alias);
});

export const UpdateAlias = operation('UpdateAlias', async (input, context) => {
  const { account, region, functions } = context;
  const functionName = resolveUnqualified(context, input.FunctionName);
  const updated = await functions.change(account, region, functionName, (current) => {
    const alias = current?.part('alias', input.Name);
    if (current === undefined || alias === undefined)
      throw new ServiceError(
        'ResourceNotFoundException',
        `Alias not found: ${functionArn(context, functionName, input.Name)}`,
      );
    requireRevision(alias, input.RevisionId);
    const after = updatedAlias(alias, input, context.stamp().newId());
    checkRouting(current, after);
    const parts = [{ kind: 'alias', name: after.name, value: after }] as const;
    return { change: { root: current.root, parts }, result: after };
  });
  return aliasConfiguration(context, functionName, updated);
});

export const DeleteAlias = operation('DeleteAlias', async (input, context) => {
  const { account, region, functions } = context;
  const functionName = resolveUnqualified(context, input.FunctionName);
  // What is not there, alias or function, is deleted as well as what is.
  await functions.change(account, region, functionName, (current) => ({
    change: current && { root: current.root, parts: removalOf(input.Name) },
    result: undefined,
  }));
});

export const ListAliases = operation('ListAliases', async (input, context) => {
  const functionName = resolveUnqualified(context, input.FunctionName);
  const all = context.functions.aliasesOf(requireFunction(context, functionName));
  const { FunctionVersion: version, Marker: marker, MaxItems: maxItems } = input;
  const aliases = version === undefined ? all : all.filter((alias) => alias.version === version);
  const { items, nextMarker } = page(aliases, ({ name }) => name, marker, maxItems, PAGE_CAP);
  const shown = items.map((alias) => aliasConfiguration(context, functionName, alias));
  return { Aliases: shown, NextMarker: nextMarker };
});

/** Members that the request leaves out stay as they are; weights without entries end the sharing. */
function updatedAlias(
  alias: AliasRecord,
  request: UpdateAliasRequest,
  revisionId: string,
): AliasRecord {
  return {
    name: alias.name,
    version: request.FunctionVersion ?? alias.version,
    description: request.Description ?? alias.description,
    revisionId,
    additional:
      request.RoutingConfig === undefined
        ? alias.additional
        : additionalVersion(request.RoutingConfig),
  };
}

function aliasConfiguration(
  context: OperationContext,
  functionName: string,
  { name, version, description, revisionId, additional }: AliasRecord,
): AliasConfiguration {
  return {
    AliasArn: functionArn(context, functionName, name),
    Name: name,
    FunctionVersion: version,
    Description: description,
    RoutingConfig: additional && {
      AdditionalVersionWeights: { [additional.version]: additional.weight },
    },
    RevisionId: revisionId,
  };
}

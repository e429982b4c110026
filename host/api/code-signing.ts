// Code signing configs, and which one a function has.
import {
  type CodeSigningConfigRecord,
  codeSigningConfigArn,
  newCodeSigningConfigId,
} from '../code-signing/record.ts';
import { requireSettled } from '../functions/lifecycle.ts';
import { functionArn, functionNotFound, resolveUnqualified } from '../functions/names.ts';
import { lastModifiedText } from '../functions/record.ts';
import { withTags } from '../tags/tags.ts';
import type { OperationContext } from './context.ts';
import { requireFunction } from './function-view.ts';
import type { CodeSigningConfig } from './model/types.ts';
import { operation } from './operation.ts';
import { page } from './pagination.ts';

const PAGE_CAP = 50;

export const CreateCodeSigningConfig = operation(
  'CreateCodeSigningConfig',
  async (input, context) => {
    const stamp = context.stamp();
    const record: CodeSigningConfigRecord = {
      account: context.account,
      region: context.region,
      id: newCodeSigningConfigId(() => stamp.newId()),
      description: input.Description,
      publishers: input.AllowedPublishers.SigningProfileVersionArns,
      policy: input.CodeSigningPolicies?.UntrustedArtifactOnDeployment ?? 'Warn',
      lastModified: lastModifiedText(stamp.epochMs),
      tags: withTags({}, input.Tags ?? {}),
    };
    await context.codeSigning.all.create(record, (arn) => new Error(`there is ${arn} already`));
    return { CodeSigningConfig: shown(record) };
  },
);

export const GetCodeSigningConfig = operation('GetCodeSigningConfig', async (input, context) => ({
  CodeSigningConfig: shown(context.codeSigning.all.require(context, input.CodeSigningConfigArn)),
}));

export const UpdateCodeSigningConfig = operation(
  'UpdateCodeSigningConfig',
  async (input, context) => {
    const record = await context.codeSigning.all.change(
      context,
      input.CodeSigningConfigArn,
      (current) => ({
        ...current,
        description: input.Description ?? current.description,
        publishers: input.AllowedPublishers?.SigningProfileVersionArns ?? current.publishers,
        policy: input.CodeSigningPolicies?.UntrustedArtifactOnDeployment ?? current.policy,
        lastModified: lastModifiedText(context.stamp().epochMs),
      }),
    );
    return { CodeSigningConfig: shown(record) };
  },
);

export const DeleteCodeSigningConfig = operation(
  'DeleteCodeSigningConfig',
  async (input, context) => {
    const { CodeSigningConfigArn: arn } = input;
    const isUsed = () => functionsUsing(context, arn).length > 0;
    await context.codeSigning.remove(context, arn, isUsed);
    return {};
  },
);

export const ListCodeSigningConfigs = operation(
  'ListCodeSigningConfigs',
  async (input, context) => {
    const configs = [...context.codeSigning.all.of(context)];
    const { Marker: marker, MaxItems: maxItems } = input;
    const { items, nextMarker } = page(configs, ({ id }) => id, marker, maxItems, PAGE_CAP);
    return { CodeSigningConfigs: items.map(shown), NextMarker: nextMarker };
  },
);

export const ListFunctionsByCodeSigningConfig = operation(
  'ListFunctionsByCodeSigningConfig',
  async (input, context) => {
    const { CodeSigningConfigArn: arn, Marker: marker, MaxItems: maxItems } = input;
    context.codeSigning.all.require(context, arn);
    const names = functionsUsing(context, arn);
    const { items, nextMarker } = page(names, (name) => name, marker, maxItems, PAGE_CAP);
    const arns = items.map((name) => functionArn(context, name));
    return { FunctionArns: arns, NextMarker: nextMarker };
  },
);

export const PutFunctionCodeSigningConfig = operation(
  'PutFunctionCodeSigningConfig',
  async (input, context) => {
    const name = resolveUnqualified(context, input.FunctionName);
    const { CodeSigningConfigArn: arn } = input;
    await context.codeSigning.during(context, arn, () => attach(context, name, arn));
    return { CodeSigningConfigArn: arn, FunctionName: name };
  },
);

export const GetFunctionCodeSigningConfig = operation(
  'GetFunctionCodeSigningConfig',
  async (input, context) => {
    const name = resolveUnqualified(context, input.FunctionName);
    const { codeSigningConfigArn: arn } = requireFunction(context, name).root;
    // The model requires both members; the service answers with none when no config is attached.
    if (arn === undefined) return {} as { CodeSigningConfigArn: string; FunctionName: string }; // as: see above
    return { CodeSigningConfigArn: arn, FunctionName: name };
  },
);

export const DeleteFunctionCodeSigningConfig = operation(
  'DeleteFunctionCodeSigningConfig',
  async (input, context) => {
    const name = resolveUnqualified(context, input.FunctionName);
    await context.functions.change(context.account, context.region, name, (current) => {
      if (current === undefined) throw functionNotFound(context, name);
      const { codeSigningConfigArn: _, ...root } = current.root;
      return { change: { root }, result: undefined };
    });
  },
);

async function attach(context: OperationContext, name: string, arn: string): Promise<void> {
  await context.functions.change(context.account, context.region, name, (current) => {
    if (current === undefined) throw functionNotFound(context, name);
    requireSettled(current.root);
    const root = { ...current.root, codeSigningConfigArn: arn };
    return { change: { root }, result: undefined };
  });
}

/** Names, ascending. */
function functionsUsing({ functions, account, region }: OperationContext, arn: string): string[] {
  return functions
    .names(account, region)
    .filter((name) => functions.get(account, region, name)?.codeSigningConfigArn === arn);
}

function shown(record: CodeSigningConfigRecord): CodeSigningConfig {
  return {
    CodeSigningConfigId: record.id,
    CodeSigningConfigArn: codeSigningConfigArn(record, record.id),
    Description: record.description,
    AllowedPublishers: { SigningProfileVersionArns: record.publishers },
    CodeSigningPolicies: { UntrustedArtifactOnDeployment: record.policy },
    LastModified: record.lastModified,
  };
}

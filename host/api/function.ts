// Functions: create, read, update, list, delete. Source: control-plane document §6.
import { checkCodeMembers, checkZipSize, takeInCode } from '../functions/code-source.ts';
import { functionConfiguration, listedConfiguration } from '../functions/configuration.ts';
import { type Decision, versionPart } from '../functions/functions.ts';
import {
  newVersion,
  published,
  requireRevision,
  requireSettled,
  withUpdate,
} from '../functions/lifecycle.ts';
import {
  functionNotFound,
  isVersionNumber,
  resolveReference,
  resolveUnqualified,
} from '../functions/names.ts';
import {
  type FunctionRecord,
  type FunctionSettings,
  type VersionRecord,
} from '../functions/record.ts';
import { newSettings, packageMembers, updatedSettings, withCode } from '../functions/settings.ts';
import { removalOf } from '../functions/target.ts';
import { ServiceError } from '../service-error.ts';
import { withTags } from '../tags/tags.ts';
import type { OperationContext } from './context.ts';
import type {
  CreateFunctionRequest,
  FunctionConfiguration,
  OperationInput,
} from './model/types.ts';
import { operation } from './operation.ts';
import { page } from './pagination.ts';
import type { DecodedStructure } from './validation.ts';

const MAX_NAME_LENGTH = 64;
const PAGE_CAP = 50;

async function createFunction(
  input: CreateFunctionRequest,
  context: OperationContext,
): Promise<FunctionConfiguration> {
  const name = resolveUnqualified(context, input.FunctionName);
  checkNameLength(name);
  const packaged = packageMembers(input);
  checkCodeMembers(input.Code);
  const settings = newSettings(input, packaged, context);
  if (context.functions.get(context.account, context.region, name) !== undefined)
    throw alreadyExists(name);
  const code = await takeInCode(input.Code, context.region, context.packages, context.fetchFromS3);
  const all = withCode(settings, code, input.Code.SourceKMSKeyArn || undefined);
  const created = await context.functions.change(
    context.account,
    context.region,
    name,
    (current) => {
      if (current !== undefined) throw alreadyExists(name);
      return creation(context, name, all, withTags({}, input.Tags ?? {}), input.Publish === true);
    },
  );
  context.activation.begin(created.record);
  return configurationOf(context, created.record, created.shown, undefined);
}

export const CreateFunction = operation('CreateFunction', createFunction, {
  checkSizes: ({ Code: code }) => checkZipSize(memberOf(code, 'ZipFile')),
});

export const GetFunction = operation('GetFunction', async (input, context) => {
  const { name, qualifier } = resolveReference(context, input.FunctionName, input.Qualifier);
  const { record, version } = lookUp(context, name, qualifier);
  const hasTags = Object.keys(record.tags).length > 0;
  return {
    Configuration: configurationOf(context, record, version, qualifier),
    Code: {
      RepositoryType: 'S3',
      Location: context.codeLink(version.settings.code.digest),
      SourceKMSKeyArn: version.settings.sourceKmsKeyArn,
    },
    Tags: hasTags ? record.tags : undefined,
  };
});

export const GetFunctionConfiguration = operation(
  'GetFunctionConfiguration',
  async (input, context) => {
    const { name, qualifier } = resolveReference(context, input.FunctionName, input.Qualifier);
    const { record, version } = lookUp(context, name, qualifier);
    return configurationOf(context, record, version, qualifier);
  },
);

async function updateFunctionCode(
  input: OperationInput<'UpdateFunctionCode'>,
  context: OperationContext,
): Promise<FunctionConfiguration> {
  const name = resolveUnqualified(context, input.FunctionName);
  const before = requireFunction(context, name);
  requireRevision(before.latest, input.RevisionId);
  if (input.ImageUri !== undefined)
    throw invalid("Please don't provide ImageUri when updating a function with packageType Zip.");
  if (input.PublishTo !== undefined) throw invalid('PublishTo is not available on this host yet');
  checkCodeMembers(input);
  requireSettled(before);
  const code = await takeInCode(input, context.region, context.packages, context.fetchFromS3);
  const apply = (current: FunctionSettings): FunctionSettings => ({
    ...withCode(current, code, input.SourceKMSKeyArn || undefined),
    architectures: input.Architectures ?? current.architectures,
  });
  if (input.DryRun === true) {
    const settings = apply(before.latest.settings);
    requireStorage(context, before.latest.settings, settings, input.Publish === true);
    return configurationOf(context, before, { ...before.latest, settings }, undefined);
  }
  return await update(context, name, input.RevisionId, apply, input.Publish === true);
}

export const UpdateFunctionCode = operation('UpdateFunctionCode', updateFunctionCode, {
  checkSizes: ({ ZipFile: zipFile }) => checkZipSize(zipFile),
});

export const UpdateFunctionConfiguration = operation(
  'UpdateFunctionConfiguration',
  async (input, context) => {
    const name = resolveUnqualified(context, input.FunctionName);
    const apply = (current: FunctionSettings) => updatedSettings(current, input, context);
    return await update(context, name, input.RevisionId, apply, false);
  },
);

export const ListFunctions = operation('ListFunctions', async (input, context) => {
  const { Marker: marker, MaxItems: maxItems, MasterRegion: masterRegion } = input;
  // There are no edge replicas: another master region than "any" has none to show.
  if (masterRegion !== undefined && masterRegion !== 'ALL') return { Functions: [] };
  const names = context.functions.names(context.account, context.region);
  if (input.FunctionVersion === 'ALL') {
    const versions = names.flatMap((name) => everyVersion(context, name));
    const { items, nextMarker } = page(versions, ({ key }) => key, marker, maxItems, PAGE_CAP);
    const shown = items.map(({ record, version }) =>
      listed(context, record, version, version.version),
    );
    return { Functions: shown, NextMarker: nextMarker };
  }
  const { items, nextMarker } = page(names, (name) => name, marker, maxItems, PAGE_CAP);
  const shown = items
    .map((name) => context.functions.get(context.account, context.region, name))
    .filter((record) => record !== undefined)
    .map((record) => listed(context, record, record.latest, undefined));
  return { Functions: shown, NextMarker: nextMarker };
});

export const DeleteFunction = operation(
  'DeleteFunction',
  async (input, context) => {
    const { name, qualifier } = resolveReference(context, input.FunctionName, input.Qualifier);
    if (qualifier === '$LATEST')
      throw invalid('$LATEST version cannot be deleted without deleting the function.');
    if (qualifier !== undefined && !isVersionNumber(qualifier))
      throw invalid('Deletion of aliases is not currently supported.');
    await context.functions.change(context.account, context.region, name, (current) => {
      if (current === undefined) throw functionNotFound(context, name);
      if (qualifier === undefined) return { change: undefined, result: undefined };
      return {
        change: { root: current.root, parts: removalOf(qualifier) },
        result: undefined,
      };
    });
    return {};
  },
  // The model says 200; the service answers 204 (control-plane document §6.7).
  { status: 204 },
);

/** Applies new settings to `$LATEST` and, when asked, publishes them. */
async function update(
  context: OperationContext,
  name: string,
  revisionId: string | undefined,
  apply: (current: FunctionSettings) => FunctionSettings,
  publish: boolean,
): Promise<FunctionConfiguration> {
  const updated = await context.functions.change(
    context.account,
    context.region,
    name,
    (current): Decision<Shown> => {
      if (current === undefined) throw functionNotFound(context, name);
      const { latest } = current.root;
      requireRevision(latest, revisionId);
      requireSettled(current.root);
      const settings = apply(latest.settings);
      requireStorage(context, latest.settings, settings, publish);
      const record = withUpdate(current.root, settings, context.stamp());
      if (!publish)
        return {
          change: { root: record },
          result: { record, shown: record.latest, qualifier: undefined },
        };
      const { record: after, version } = published(record, undefined, context.stamp());
      return {
        change: { root: after, parts: [versionPart(version)] },
        result: { record: after, shown: version, qualifier: version.version },
      };
    },
  );
  context.activation.begin(updated.record);
  return configurationOf(context, updated.record, updated.shown, updated.qualifier);
}

interface Shown {
  readonly record: FunctionRecord;
  readonly shown: VersionRecord;
  readonly qualifier: string | undefined;
}

function creation(
  context: OperationContext,
  name: string,
  settings: FunctionSettings,
  tags: Readonly<Record<string, string>>,
  publish: boolean,
): Decision<Shown> {
  const { account, region } = context;
  requireStorage(context, undefined, settings, publish);
  const latest = newVersion(settings, context.stamp());
  const record: FunctionRecord = { account, region, name, latest, nextVersion: 1, tags };
  const qualifier = undefined;
  if (!publish) return { change: { root: record }, result: { record, shown: latest, qualifier } };
  const { record: after, version } = published(record, undefined, context.stamp());
  return {
    change: { root: after, parts: [versionPart(version)] },
    result: { record: after, shown: version, qualifier },
  };
}

interface Found {
  readonly record: FunctionRecord;
  readonly version: VersionRecord;
}

function lookUp(context: OperationContext, name: string, qualifier: string | undefined): Found {
  const { account, region, functions } = context;
  const record = functions.get(account, region, name);
  if (record === undefined) throw functionNotFound(context, name, qualifier);
  if (qualifier === undefined || qualifier === '$LATEST') return { record, version: record.latest };
  const version = functions.version(account, region, name, qualifier);
  if (version === undefined) throw functionNotFound(context, name, qualifier);
  return { record, version };
}

function requireFunction(context: OperationContext, name: string): FunctionRecord {
  const record = context.functions.get(context.account, context.region, name);
  if (record === undefined) throw functionNotFound(context, name);
  return record;
}

function configurationOf(
  context: OperationContext,
  record: FunctionRecord,
  version: VersionRecord,
  qualifier: string | undefined,
): FunctionConfiguration {
  const { runtimeHash } = context;
  return functionConfiguration({ scope: context, record, version, qualifier, runtimeHash });
}

function listed(
  context: OperationContext,
  record: FunctionRecord,
  version: VersionRecord,
  qualifier: string | undefined,
): FunctionConfiguration {
  const { runtimeHash } = context;
  return listedConfiguration({ scope: context, record, version, qualifier, runtimeHash });
}

/** `$LATEST`, then the numbers ascending; keys ascend in the same order, over all functions. */
function everyVersion(context: OperationContext, name: string) {
  const { account, region, functions } = context;
  const record = functions.get(account, region, name);
  if (record === undefined) return [];
  return [record.latest, ...functions.versions(account, region, name)].map((version) => ({
    // A blank is less than every character of a name, so a name precedes those that it begins.
    key: `${name} ${version.version === '$LATEST' ? '' : version.version.padStart(12, '0')}`,
    record,
    version,
  }));
}

/** Each version counts with the bytes of its package. Throws CodeStorageExceededException when the account has no room for more. */
function requireStorage(
  { functions, account, region, limits }: OperationContext,
  before: FunctionSettings | undefined,
  after: FunctionSettings,
  publish: boolean,
): void {
  const added = after.code.sizeBytes * (publish ? 2 : 1) - (before?.code.sizeBytes ?? 0);
  if (added > 0 && functions.codeBytes(account, region) + added > limits.codeStorageBytes)
    throw new ServiceError('CodeStorageExceededException', 'Code storage limit exceeded.');
}

function memberOf(structure: unknown, name: string): unknown {
  const isStructure = typeof structure === 'object' && structure !== null;
  return isStructure ? (structure as DecodedStructure)[name] : undefined; // as: an object by the line above
}

function checkNameLength(name: string): void {
  if (name.length > MAX_NAME_LENGTH)
    throw invalid(
      `1 validation error detected: Value '${name}' at 'functionName' failed to satisfy constraint: Member must have length less than or equal to ${MAX_NAME_LENGTH}`,
    );
}

function alreadyExists(name: string): ServiceError {
  return new ServiceError('ResourceConflictException', `Function already exist: ${name}`);
}

function invalid(message: string): ServiceError {
  return new ServiceError('InvalidParameterValueException', message);
}

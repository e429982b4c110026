// Functions: create, read, update, delete.
import { requireTrustedCode } from '../code-signing/verification.ts';
import { reservedOf } from '../concurrency/reserved.ts';
import { checkCodeMembers, checkZipSize, takeInCode } from '../functions/code-source.ts';
import type { Decision, HeldFunction } from '../functions/functions.ts';
import { newVersion, requireRevision, requireSettled, withUpdate } from '../functions/lifecycle.ts';
import {
  functionNotFound,
  isVersionNumber,
  resolveReference,
  resolveUnqualified,
} from '../functions/names.ts';
import { publish } from '../functions/publish.ts';
import type { FunctionRecord, FunctionSettings } from '../functions/record.ts';
import { newSettings, packageMembers, updatedSettings, withCode } from '../functions/settings.ts';
import { aliasesOfVersion, removalOf } from '../functions/target.ts';
import { ServiceError } from '../service-error.ts';
import { withTags } from '../tags/tags.ts';
import { requireStorage } from './code-storage.ts';
import type { OperationContext } from './context.ts';
import { configurationOf, lookUp, requireFunction, type Shown } from './function-view.ts';
import type {
  CreateFunctionRequest,
  FunctionConfiguration,
  OperationInput,
} from './model/types.ts';
import { operation } from './operation.ts';

const MAX_NAME_LENGTH = 64;

async function createFunction(
  input: CreateFunctionRequest,
  context: OperationContext,
): Promise<FunctionConfiguration> {
  const name = resolveUnqualified(context, input.FunctionName);
  checkNameLength(name);
  const packaged = packageMembers(input);
  checkCodeMembers(input.Code);
  const settings = () => newSettings(input, packaged, context);
  settings();
  const { CodeSigningConfigArn: signing } = input;
  if (signing !== undefined) context.codeSigning.requireAttachable(context, signing);
  if (context.functions.get(context.account, context.region, name) !== undefined)
    throw alreadyExists(name);
  const code = await takeInCode(input.Code, context.region, context.packages, context.fetchFromS3);
  const created = await context.codeSigning.during(context, signing, () =>
    context.functions.change(context.account, context.region, name, (current) => {
      if (current !== undefined) throw alreadyExists(name);
      // Once more: while the package came in, a layer may have been deleted.
      const all = withCode(settings(), code, input.Code.SourceKMSKeyArn || undefined);
      const made = newFunction(context, name, all, withTags({}, input.Tags ?? {}));
      const record = { ...made, codeSigningConfigArn: signing };
      requireTrustedCode(context.codeSigning, record);
      return decide(context, undefined, record, input.Publish === true);
    }),
  );
  context.activation.begin(created.record);
  return configurationOf(context, created, undefined);
}

export const CreateFunction = operation('CreateFunction', createFunction, {
  checkSizes: ({ Code: code }) => checkZipSize(code),
});

export const GetFunction = operation('GetFunction', async (input, context) => {
  const { name, qualifier } = resolveReference(context, input.FunctionName, input.Qualifier);
  const shown = lookUp(context, name, qualifier);
  const { record, version } = shown;
  const hasTags = Object.keys(record.tags).length > 0;
  return {
    Configuration: configurationOf(context, shown, qualifier),
    Code: {
      RepositoryType: 'S3',
      Location: context.codeLink(version.settings.code.digest),
      SourceKMSKeyArn: version.settings.sourceKmsKeyArn,
    },
    Tags: hasTags ? record.tags : undefined,
    // Reserved concurrency is the function's: an answer about a qualifier has none.
    Concurrency: qualifier === undefined ? reservedOf(record) : undefined,
  };
});

export const GetFunctionConfiguration = operation(
  'GetFunctionConfiguration',
  async (input, context) => {
    const { name, qualifier } = resolveReference(context, input.FunctionName, input.Qualifier);
    return configurationOf(context, lookUp(context, name, qualifier), qualifier);
  },
);

async function updateFunctionCode(
  input: OperationInput<'UpdateFunctionCode'>,
  context: OperationContext,
): Promise<FunctionConfiguration> {
  const name = resolveUnqualified(context, input.FunctionName);
  const before = requireFunction(context, name);
  requireRevision(before.root.latest, input.RevisionId);
  if (input.ImageUri !== undefined)
    throw invalid("Please don't provide ImageUri when updating a function with packageType Zip.");
  if (input.PublishTo !== undefined) throw invalid('PublishTo is not available on this host yet');
  checkCodeMembers(input);
  requireSettled(before.root);
  const code = await takeInCode(input, context.region, context.packages, context.fetchFromS3);
  const apply = (current: FunctionSettings, record: FunctionRecord): FunctionSettings => {
    requireTrustedCode(context.codeSigning, record);
    return {
      ...withCode(current, code, input.SourceKMSKeyArn || undefined),
      architectures: input.Architectures ?? current.architectures,
    };
  };
  if (input.DryRun === true) {
    const settings = apply(before.root.latest.settings, before.root);
    const dry = withUpdate(before.root, settings, context.stamp());
    decide(context, before, dry, input.Publish === true);
    const version = { ...before.root.latest, settings };
    return configurationOf(context, { record: before.root, version }, undefined);
  }
  return await update(context, name, input.RevisionId, apply, input.Publish === true);
}

export const UpdateFunctionCode = operation('UpdateFunctionCode', updateFunctionCode, {
  checkSizes: checkZipSize,
});

export const UpdateFunctionConfiguration = operation(
  'UpdateFunctionConfiguration',
  async (input, context) => {
    const name = resolveUnqualified(context, input.FunctionName);
    const apply = (current: FunctionSettings) => updatedSettings(current, input, context);
    return await update(context, name, input.RevisionId, apply, false);
  },
);

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
      requireUnreferenced(current, qualifier);
      return {
        change: { root: current.root, parts: removalOf(qualifier) },
        result: undefined,
      };
    });
    return {};
  },
  // The model says 200; recorded answers are 204.
  { status: 204 },
);

/** Throws ResourceConflictException when an alias points to the version, with whatever share. */
function requireUnreferenced(held: HeldFunction, version: string): void {
  const aliases = aliasesOfVersion(held, version);
  if (aliases.length > 0)
    throw new ServiceError(
      'ResourceConflictException',
      `Unable to delete version because the following aliases reference it: [${aliases.join(', ')}]`,
    );
}

/** Applies new settings to `$LATEST` and, when asked, publishes them. */
async function update(
  context: OperationContext,
  name: string,
  revisionId: string | undefined,
  apply: (current: FunctionSettings, record: FunctionRecord) => FunctionSettings,
  publishes: boolean,
): Promise<FunctionConfiguration> {
  const updated = await context.functions.change(
    context.account,
    context.region,
    name,
    (current) => {
      if (current === undefined) throw functionNotFound(context, name);
      const { latest } = current.root;
      requireRevision(latest, revisionId);
      requireSettled(current.root);
      const record = withUpdate(
        current.root,
        apply(latest.settings, current.root),
        context.stamp(),
      );
      return decide(context, current, record, publishes);
    },
  );
  context.activation.begin(updated.record);
  return configurationOf(context, updated, publishes ? updated.version.version : undefined);
}

function newFunction(
  { account, region, stamp }: OperationContext,
  name: string,
  settings: FunctionSettings,
  tags: Readonly<Record<string, string>>,
): FunctionRecord {
  const latest = newVersion(settings, stamp());
  return { account, region, name, latest, nextVersion: 1, tags };
}

/** The change that stores `record`, and publishes it when asked. Throws CodeStorageExceededException. */
function decide(
  context: OperationContext,
  current: HeldFunction | undefined,
  record: FunctionRecord,
  publishes: boolean,
): Decision<Shown> {
  const publication = publishes
    ? publish(current, record, undefined, context.stamp())
    : { root: record, version: record.latest, parts: [] };
  const { root, version, parts } = publication;
  requireStorage(context, current, root, parts.length);
  return { change: { root, parts }, result: { record: root, version } };
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

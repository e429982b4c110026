// Published versions: PublishVersion and their listing. GetFunction shows one, DeleteFunction removes one.
import type { Decision, HeldFunction } from '../functions/functions.ts';
import { requireRevision, requireSettled } from '../functions/lifecycle.ts';
import { functionNotFound, resolveUnqualified } from '../functions/names.ts';
import { publish } from '../functions/publish.ts';
import type { VersionRecord } from '../functions/record.ts';
import { ServiceError } from '../service-error.ts';
import { requireStorage } from './code-storage.ts';
import type { OperationContext } from './context.ts';
import { configurationOf, listedOf, requireFunction, type Shown } from './function-view.ts';
import type { PublishVersionRequest } from './model/types.ts';
import { operation } from './operation.ts';
import { page } from './pagination.ts';

const PAGE_CAP = 50;

export const PublishVersion = operation('PublishVersion', async (input, context) => {
  const { account, region, functions, activation } = context;
  const name = resolveUnqualified(context, input.FunctionName);
  const published = await functions.change(account, region, name, (current) => {
    if (current === undefined) throw functionNotFound(context, name);
    return publication(input, current, context);
  });
  activation.begin(published.record);
  return configurationOf(context, published, published.version.version);
});

export const ListVersionsByFunction = operation(
  'ListVersionsByFunction',
  async (input, context) => {
    const held = requireFunction(context, resolveUnqualified(context, input.FunctionName));
    const record = held.root;
    const versions = [record.latest, ...context.functions.versionsOf(held)];
    const { Marker: marker, MaxItems: maxItems } = input;
    const { items, nextMarker } = page(versions, orderOf, marker, maxItems, PAGE_CAP);
    const shown = items.map((version) => listedOf(context, { record, version }, version.version));
    return { Versions: shown, NextMarker: nextMarker };
  },
);

function publication(
  request: PublishVersionRequest,
  current: HeldFunction,
  context: OperationContext,
): Decision<Shown> {
  const { latest } = current.root;
  requireRevision(latest, request.RevisionId);
  requireCode(latest, request.CodeSha256);
  requireSettled(current.root);
  if (request.PublishTo !== undefined) throw invalid('PublishTo is not available on this host yet');
  const { root, version, parts } = publish(
    current,
    current.root,
    request.Description,
    context.stamp(),
  );
  requireStorage(context, current, root, parts.length);
  return { change: { root, parts }, result: { record: root, version } };
}

/** Throws InvalidParameterValueException when the caller means other code than `$LATEST` has. */
function requireCode({ settings }: VersionRecord, codeSha256: string | undefined): void {
  const { sha256 } = settings.code;
  if (codeSha256 !== undefined && codeSha256 !== sha256)
    throw invalid(
      `CodeSHA256 (${codeSha256}) is different from current CodeSHA256 in $LATEST (${sha256}). Please try again with the CodeSHA256 in $LATEST.`,
    );
}

/** `$LATEST` comes before the numbers. */
function orderOf({ version }: VersionRecord): number {
  return version === '$LATEST' ? 0 : Number(version);
}

function invalid(message: string): ServiceError {
  return new ServiceError('InvalidParameterValueException', message);
}

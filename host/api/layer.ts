// Layers: publish, read, list and delete their versions.
import { checkCodeMembers, checkZipSize, takeInCode } from '../functions/code-source.ts';
import { lastModifiedText } from '../functions/record.ts';
import { type LayerDecision, versionRemoval } from '../layers/layers.ts';
import {
  type LayerReference,
  layerArn,
  layerVersionArn,
  parseLayerVersionArn,
  requireRegion,
  resolveLayerName,
} from '../layers/names.ts';
import type { LayerVersionRecord } from '../layers/record.ts';
import { noSuchResource, ServiceError } from '../service-error.ts';
import { requireRoom } from './code-storage.ts';
import type { OperationContext } from './context.ts';
import type {
  GetLayerVersionResponse,
  LayerVersionsListItem,
  ListLayersRequest,
  PublishLayerVersionRequest,
} from './model/types.ts';
import { operation } from './operation.ts';
import { page } from './pagination.ts';

const PAGE_CAP = 50;

/** What a layer version without declared architectures is taken for. */
const DEFAULT_ARCHITECTURE = 'x86_64';

async function publishLayerVersion(
  input: PublishLayerVersionRequest,
  context: OperationContext,
): Promise<GetLayerVersionResponse> {
  const layer = resolveLayerName(context, input.LayerName);
  checkCodeMembers(input.Content);
  const { region, packages, fetchFromS3 } = context;
  const content = await takeInCode(input.Content, region, packages, fetchFromS3);
  const version = await context.layers.change(
    layer,
    (current): LayerDecision<LayerVersionRecord> => {
      requireRoom(context, content.sizeBytes);
      const number = current?.root.nextVersion ?? 1;
      const record: LayerVersionRecord = {
        version: number,
        description: input.Description ?? '',
        createdDate: lastModifiedText(context.stamp().epochMs),
        compatibleRuntimes: input.CompatibleRuntimes,
        compatibleArchitectures: input.CompatibleArchitectures,
        licenseInfo: input.LicenseInfo,
        content,
      };
      return {
        change: {
          root: { ...layer, nextVersion: number + 1 },
          parts: [{ kind: 'layer-version', name: `${number}`, value: record }],
        },
        result: record,
      };
    },
  );
  return whole(context, layer, version);
}

export const PublishLayerVersion = operation('PublishLayerVersion', publishLayerVersion, {
  checkSizes: ({ Content: content }) => checkZipSize(content),
});

export const GetLayerVersion = operation('GetLayerVersion', async (input, context) =>
  readVersion(context, resolveLayerName(context, input.LayerName), input.VersionNumber),
);

export const GetLayerVersionByArn = operation('GetLayerVersionByArn', async (input, context) => {
  const named = parseLayerVersionArn(input.Arn);
  if (named === undefined) throw noSuchResource();
  requireRegion(context, named.region);
  return readVersion(context, named, named.version);
});

export const ListLayers = operation('ListLayers', async (input, context) => {
  const { account, region, layers } = context;
  const found = layers.names(account, region).flatMap((name) => {
    const layer = { account, region, name };
    const newest = layers.versions(layer).find((version) => matches(version, input));
    return newest === undefined ? [] : [{ layer, newest }];
  });
  const { items, nextMarker } = page(
    found,
    ({ layer }) => layer.name,
    input.Marker,
    input.MaxItems,
    PAGE_CAP,
  );
  const shown = items.map(({ layer, newest }) => ({
    LayerName: layer.name,
    LayerArn: layerArn(layer),
    LatestMatchingVersion: listed(layer, newest),
  }));
  return { Layers: shown, NextMarker: nextMarker };
});

export const ListLayerVersions = operation('ListLayerVersions', async (input, context) => {
  const layer = resolveLayerName(context, input.LayerName);
  const found = context.layers.versions(layer).filter((version) => matches(version, input));
  const { items, nextMarker } = page(
    found,
    ({ version }) => -version,
    input.Marker,
    input.MaxItems,
    PAGE_CAP,
  );
  return { LayerVersions: items.map((version) => listed(layer, version)), NextMarker: nextMarker };
});

/** Functions that use the version keep it: its package stays as long as one of theirs refers to it. */
export const DeleteLayerVersion = operation('DeleteLayerVersion', async (input, context) => {
  const layer = resolveLayerName(context, input.LayerName);
  requireNumber(input.VersionNumber);
  await context.layers.change(layer, (current) => ({
    change: current && { root: current.root, parts: versionRemoval(input.VersionNumber) },
    result: undefined,
  }));
});

function readVersion(
  context: OperationContext,
  layer: LayerReference,
  number: number,
): GetLayerVersionResponse {
  requireNumber(number);
  const version = context.layers.version(layer, number);
  if (version === undefined) throw noSuchResource();
  return whole(context, layer, version);
}

function whole(
  context: OperationContext,
  layer: LayerReference,
  version: LayerVersionRecord,
): GetLayerVersionResponse {
  const { digest, sha256, sizeBytes } = version.content;
  return {
    Content: { Location: context.codeLink(digest), CodeSha256: sha256, CodeSize: sizeBytes },
    LayerArn: layerArn(layer),
    ...listed(layer, version),
  };
}

function listed(layer: LayerReference, version: LayerVersionRecord): LayerVersionsListItem {
  return {
    LayerVersionArn: layerVersionArn(layer, version.version),
    Version: version.version,
    Description: version.description,
    CreatedDate: version.createdDate,
    CompatibleArchitectures: version.compatibleArchitectures,
    CompatibleRuntimes: version.compatibleRuntimes,
    LicenseInfo: version.licenseInfo,
  };
}

function matches(
  { compatibleRuntimes = [], compatibleArchitectures = [] }: LayerVersionRecord,
  filter: Pick<ListLayersRequest, 'CompatibleRuntime' | 'CompatibleArchitecture'>,
): boolean {
  const { CompatibleRuntime: runtime, CompatibleArchitecture: architecture } = filter;
  if (runtime !== undefined && !compatibleRuntimes.includes(runtime)) return false;
  if (architecture === undefined) return true;
  return compatibleArchitectures.length === 0
    ? architecture === DEFAULT_ARCHITECTURE
    : compatibleArchitectures.includes(architecture);
}

function requireNumber(version: number): void {
  if (version < 1)
    throw new ServiceError('InvalidParameterValueException', 'Layer Version Cannot be less than 1');
}

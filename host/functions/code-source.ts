// The code members of create and update requests: which source is meant, and the package that comes of it.
import type { Readable } from 'node:stream';
import type { FunctionCode } from '../api/model/types.ts';
import { ServiceError } from '../service-error.ts';
import type { CodeReference } from './record.ts';

/** Zipped bytes that may come with the request itself. */
export const MAX_DIRECT_BYTES = 52_428_800;

/** The service's limit for the packages of one account in one region, each version counted: 75 GiB. */
export const ACCOUNT_CODE_BYTES = 80_530_636_800;

/** Takes a deployment package in: checks, unpacks and stores it. `host/code/packages.ts` does. */
export interface PackageIntake {
  add(archive: Uint8Array | Readable): Promise<{
    readonly sha256: string;
    readonly digest: string;
    readonly sizeBytes: number;
    readonly unzippedBytes: number;
  }>;
}

export type S3Fetch = (source: {
  readonly bucket: string;
  readonly key: string;
  readonly versionId?: string | undefined;
  readonly region: string;
}) => Promise<Readable>;

export type CodeMembers = Pick<
  FunctionCode,
  'ZipFile' | 'S3Bucket' | 'S3Key' | 'S3ObjectVersion' | 'ImageUri' | 'S3ObjectStorageMode'
>;

/**
 * The ZipFile member of what is given, which has been decoded and not yet validated. The service looks at the size of a package that
 * came with the request before anything else.
 */
export function checkZipSize(code: unknown): void {
  const hasFile = typeof code === 'object' && code !== null && 'ZipFile' in code;
  const zipFile = hasFile ? code.ZipFile : undefined;
  if (zipFile instanceof Uint8Array && zipFile.length > MAX_DIRECT_BYTES)
    throw new ServiceError(
      'RequestEntityTooLargeException',
      `Zipped size must be smaller than ${MAX_DIRECT_BYTES} bytes`,
    );
}

/** Checks of a Zip function's code that need no bytes but those of the request. Throws the service's errors. */
export function checkCodeMembers(code: CodeMembers): void {
  if (code.ZipFile === undefined && code.S3Bucket === undefined && code.S3Key === undefined)
    refuse('Please provide a source for function code.');
  const others = [code.S3Bucket, code.S3Key, code.S3ObjectVersion, code.ImageUri];
  if (code.ZipFile !== undefined && others.some((each) => each !== undefined))
    refuse('Please do not provide other FunctionCode parameters when providing a ZipFile.');
  if (code.ZipFile === undefined && (code.S3Bucket === undefined || code.S3Key === undefined))
    refuse('Please provide a source for function code.');
  if (code.S3ObjectStorageMode === 'REFERENCE')
    refuse('S3ObjectStorageMode REFERENCE is not available on this host yet');
}

/** Reads, checks, unpacks and stores the package. */
export async function takeInCode(
  code: CodeMembers,
  region: string,
  intake: PackageIntake,
  fetchFromS3: S3Fetch,
): Promise<CodeReference> {
  const archive = code.ZipFile ?? (await fromS3(code, region, fetchFromS3));
  const { digest, sha256, sizeBytes, unzippedBytes } = await intake.add(archive);
  return { digest, sha256, sizeBytes, unzippedBytes };
}

async function fromS3(code: CodeMembers, region: string, fetch: S3Fetch): Promise<Readable> {
  const { S3Bucket: bucket, S3Key: key, S3ObjectVersion: versionId } = code;
  if (bucket === undefined || key === undefined)
    return refuse('Please provide a source for function code.');
  return await fetch({ bucket, key, versionId, region });
}

function refuse(message: string): never {
  throw new ServiceError('InvalidParameterValueException', message);
}

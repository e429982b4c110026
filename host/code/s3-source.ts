// Deployment packages from S3 or whatever speaks its protocol. The SDK is loaded when the first one is fetched.
import { addAbortSignal, Readable } from 'node:stream';
import { ServiceError } from '../service-error.ts';
import { ArchiveRefused, lambdaArchiveLimits } from './entry-rules.ts';
import { refusedPackage } from './refused-package.ts';

export interface S3Source {
  readonly bucket: string;
  readonly key: string;
  /** S3ObjectVersion; the latest version when not given. */
  readonly versionId?: string | undefined;
  /** Signs the request; the bucket has to be there. */
  readonly region: string;
  /** Another service than AWS's (the host's AWS_ENDPOINT_URL_S3), then addressed by path: endpoint/bucket/key. */
  readonly endpoint?: string | undefined;
  /** The SDK looks for the machine's own when not given. */
  readonly credentials?: S3Credentials | undefined;
  readonly signal?: AbortSignal | undefined;
  /** For the whole object; 120,000. */
  readonly timeLimitMs?: number | undefined;
  /** The unzipped limit of the service unless given: what is larger as an archive cannot be smaller unpacked. */
  readonly maxBytes?: number | undefined;
}

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

const usualTimeLimitMs = 120_000;

/** S3's own words, whatever those of a compatible service are. */
const s3Messages: Readonly<Record<string, string>> = {
  NoSuchBucket: 'The specified bucket does not exist',
  NoSuchKey: 'The specified key does not exist.',
  NoSuchVersion: 'The specified version does not exist.',
};

/** A bucket of another region answers one of these, depending on how it was found out. */
const wrongRegion: ReadonlySet<string> = new Set([
  'PermanentRedirect',
  'AuthorizationHeaderMalformed',
]);

/**
 * The object's bytes as they arrive; the caller owns the stream and reads or destroys it. Throws, and the stream fails with,
 * ServiceError `InvalidParameterValueException` where the service would; anything else (no connection, time limit) is an
 * error of the host's.
 */
export async function fetchFromS3(source: S3Source): Promise<Readable> {
  const { GetObjectCommand, S3Client } = await import('@aws-sdk/client-s3');
  const client = new S3Client({
    region: source.region,
    ...(source.endpoint === undefined ? {} : { endpoint: source.endpoint, forcePathStyle: true }),
    ...(source.credentials === undefined ? {} : { credentials: source.credentials }),
  });
  const timeLimit = AbortSignal.timeout(source.timeLimitMs ?? usualTimeLimitMs);
  const abortSignal =
    source.signal === undefined ? timeLimit : AbortSignal.any([timeLimit, source.signal]);
  try {
    const command = new GetObjectCommand({
      Bucket: source.bucket,
      Key: source.key,
      ...(source.versionId === undefined ? {} : { VersionId: source.versionId }),
    });
    const object = await client.send(command, { abortSignal });
    const body = object.Body;
    if (!(body instanceof Readable)) throw new Error('S3 answered without a body');
    // The generators alone would wait for the next chunk before they notice.
    addAbortSignal(abortSignal, body);
    const maxBytes = source.maxBytes ?? lambdaArchiveLimits.maxUnzippedBytes;
    const bytes = limited(body, object.ContentLength ?? 0, maxBytes, () => client.destroy());
    return Readable.from(bytes, { objectMode: false });
  } catch (cause) {
    client.destroy();
    throw translated(cause, source);
  }
}

/** Refuses what is too large before its first byte where the length is known, and while it streams in any case. */
async function* limited(
  body: Readable,
  declaredBytes: number,
  maxBytes: number,
  done: () => void,
): AsyncGenerator<Uint8Array> {
  const chunks: AsyncIterable<Uint8Array> = body;
  let bytes = 0;
  try {
    if (declaredBytes > maxBytes) throw tooLarge(maxBytes);
    for await (const chunk of chunks) {
      bytes += chunk.length;
      if (bytes > maxBytes) throw tooLarge(maxBytes);
      yield chunk;
    }
  } finally {
    body.destroy();
    done();
  }
}

function tooLarge(maxBytes: number): ServiceError {
  const cause = new ArchiveRefused('tooLarge', `the object has more than ${maxBytes} bytes`);
  return refusedPackage('tooLarge', cause);
}

/** In the service's words where it has any; an error that S3 did not send stays as it is. */
function translated(cause: unknown, { bucket, key }: S3Source): unknown {
  if (!(cause instanceof Error)) return cause;
  if (cause.name === 'AccessDenied' || cause.name === 'CredentialsProviderError') {
    return invalid(
      `Your access has been denied by S3, please make sure your request credentials have permission to GetObject for ${bucket}/${key}. S3 Error Code: AccessDenied. S3 Error Message: Access Denied`,
      cause,
    );
  }
  const region = regionOf(cause);
  if (wrongRegion.has(cause.name) && region !== undefined) {
    const advice = `The bucket is in this region: ${region}. Please use this region to retry the request`;
    return failed('PermanentRedirect', advice, cause);
  }
  const status = statusOf(cause);
  if (status === undefined || status >= 500) return cause;
  return failed(cause.name, s3Messages[cause.name] ?? cause.message, cause);
}

function failed(code: string, message: string, cause: Error): ServiceError {
  return invalid(
    `Error occurred while GetObject. S3 Error Code: ${code}. S3 Error Message: ${message}`,
    cause,
  );
}

function invalid(message: string, cause: Error): ServiceError {
  return new ServiceError('InvalidParameterValueException', message, { cause });
}

/** Of the answer that the error was made of; undefined when there was none. */
function statusOf(error: Error): number | undefined {
  const metadata: unknown = '$metadata' in error ? error.$metadata : undefined;
  const status = member(metadata, 'httpStatusCode');
  return typeof status === 'number' ? status : undefined;
}

function regionOf(error: Error): string | undefined {
  const response: unknown = '$response' in error ? error.$response : undefined;
  const header = member(member(response, 'headers'), 'x-amz-bucket-region');
  const region = header ?? member(error, 'Region');
  return typeof region === 'string' ? region : undefined;
}

function member(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.entries(value).find(([key]) => key === name)?.[1];
}

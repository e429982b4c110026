// Buckets that take objects: PutObject of S3, addressed by path, with the checksum that clients send.
import { crc32 } from 'node:zlib';
import {
  type Answer,
  isSignedFor,
  type ReceivedRequest,
  type Receiver,
  startReceiver,
} from './receiver.ts';

export interface StoredObject {
  readonly bucket: string;
  readonly key: string;
  readonly type: string | undefined;
  readonly body: string;
}

export interface LocalBuckets extends Receiver {
  readonly objects: readonly StoredObject[];
}

export async function startLocalBuckets(): Promise<LocalBuckets> {
  const objects: StoredObject[] = [];
  const receiver = await startReceiver((request) => serve(request, objects));
  return Object.assign(receiver, { objects });
}

export function s3Error(status: number, code: string, message: string): Answer {
  return {
    status,
    type: 'application/xml',
    body: `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`,
  };
}

function serve(request: ReceivedRequest, objects: StoredObject[]): Answer {
  const { method, path, headers, body } = request;
  if (!isSignedFor('s3', request)) return s3Error(403, 'AccessDenied', 'Access Denied');
  if (method !== 'PUT') return s3Error(405, 'MethodNotAllowed', 'not allowed');
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(body));
  const sent = headers['x-amz-checksum-crc32'];
  if (sent !== undefined && sent !== checksum.toString('base64'))
    return s3Error(400, 'BadDigest', 'the checksum differs');
  const [, bucket = '', ...key] = new URL(path, 'http://s3').pathname.split('/');
  objects.push({
    bucket,
    key: decodeURIComponent(key.join('/')),
    type: headers['content-type'],
    body: body.toString(),
  });
  return { status: 200, headers: { etag: '"e"' } };
}

// Packages from S3, against a server that gives S3's answers.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { fetchFromS3, type S3Source } from '../../host/code/s3-source.ts';
import { ServiceError } from '../../host/service-error.ts';
import { zip } from '../support/zip-writer.ts';
import { openPlace, waitFor } from './place.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

interface S3Server extends AsyncDisposable {
  readonly requests: IncomingMessage[];
  fetch(source?: Partial<S3Source>): ReturnType<typeof fetchFromS3>;
}

async function startS3(answer: Answer): Promise<S3Server> {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    answer(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // it listens on TCP
  return {
    requests,
    fetch: (source) =>
      fetchFromS3({
        bucket: 'my-bucket',
        key: 'dir/code v1.zip',
        region: 'us-east-1',
        endpoint: `http://localhost:${port}`,
        credentials: { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'secret' },
        ...source,
      }),
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** An error as S3 writes it. */
function s3Error(status: number, code: string, message: string, extra = ''): Answer {
  return (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/xml' });
    response.end(
      `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message>${extra}<RequestId>R1</RequestId><HostId>H1</HostId></Error>`,
    );
  };
}

async function refused(fetching: Promise<unknown>, message: string): Promise<void> {
  await assert.rejects(fetching, (error) => {
    assert(error instanceof ServiceError, String(error));
    assert.equal(error.name, 'InvalidParameterValueException');
    assert.equal(error.message, message);
    return true;
  });
}

test('an object is fetched by path, signed, and taken as a package', async () => {
  const archive = zip([{ name: 'index.mjs', content: 'export {}' }]);
  await using s3 = await startS3((_request, response) => response.end(archive));
  await using place = await openPlace();
  const added = await place.packages.add(await s3.fetch({ versionId: 'v 1' }));
  assert.equal(added.sizeBytes, archive.length);
  const [request] = s3.requests;
  assert.match(request?.url ?? '', /^\/my-bucket\/dir\/code%20v1\.zip\?/);
  assert.match(request?.url ?? '', /versionId=v%201/);
  assert.match(
    request?.headers.authorization ?? '',
    /AKIAEXAMPLE\/\d+\/us-east-1\/s3\/aws4_request/,
  );
});

const denied =
  'Your access has been denied by S3, please make sure your request credentials have permission to GetObject for my-bucket/dir/code v1.zip. S3 Error Code: AccessDenied. S3 Error Message: Access Denied';
const moved =
  'Error occurred while GetObject. S3 Error Code: PermanentRedirect. S3 Error Message: The bucket is in this region: eu-west-1. Please use this region to retry the request';

const answers: readonly (readonly [title: string, answer: Answer, text: string])[] = [
  [
    'NoSuchBucket',
    s3Error(404, 'NoSuchBucket', 'The specified bucket does not exist'),
    'Error occurred while GetObject. S3 Error Code: NoSuchBucket. S3 Error Message: The specified bucket does not exist',
  ],
  [
    'NoSuchKey of a service that words it differently',
    s3Error(404, 'NoSuchKey', 'Not there'),
    'Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist.',
  ],
  [
    'NoSuchVersion',
    s3Error(404, 'NoSuchVersion', 'The specified version does not exist.'),
    'Error occurred while GetObject. S3 Error Code: NoSuchVersion. S3 Error Message: The specified version does not exist.',
  ],
  ['AccessDenied', s3Error(403, 'AccessDenied', 'Access Denied'), denied],
  [
    'InvalidAccessKeyId',
    s3Error(403, 'InvalidAccessKeyId', 'The key does not exist in our records.'),
    'Error occurred while GetObject. S3 Error Code: InvalidAccessKeyId. S3 Error Message: The key does not exist in our records.',
  ],
  [
    'PermanentRedirect',
    (request, response) => {
      response.setHeader('x-amz-bucket-region', 'eu-west-1');
      const text = 'The bucket you are attempting to access must be addressed elsewhere.';
      s3Error(301, 'PermanentRedirect', text)(request, response);
    },
    moved,
  ],
  [
    'a signature for another region',
    s3Error(400, 'AuthorizationHeaderMalformed', 'wrong', '<Region>eu-west-1</Region>'),
    moved,
  ],
];

for (const [title, answer, text] of answers) {
  test(`${title} is told in the service's words`, async () => {
    await using s3 = await startS3(answer);
    await refused(s3.fetch(), text);
  });
}

const tooLarge = 'Unzipped size must be smaller than 262144000 bytes';

test('an object that says it is too large is not read', async () => {
  await using s3 = await startS3((_request, response) => {
    response.writeHead(200, { 'content-length': '262144001' });
    response.write('x');
  });
  const stream = await s3.fetch();
  await refused(buffer(stream), tooLarge);
  await waitFor(() => s3.requests[0]?.socket.destroyed === true);
});

test('an object that does not say so is read up to the limit', async () => {
  await using s3 = await startS3((_request, response) => {
    const more = (): void => {
      while (!response.destroyed && response.write(Buffer.alloc(50_000)));
    };
    response.on('drain', more);
    more();
  });
  const stream = await s3.fetch({ maxBytes: 1_000_000 });
  await refused(buffer(stream), tooLarge);
  await waitFor(() => s3.requests[0]?.socket.destroyed === true);
});

test('a server that stalls is given up, before its answer and in the midst of it', async (t) => {
  await t.test('before', async () => {
    await using s3 = await startS3(() => undefined);
    await assert.rejects(s3.fetch({ timeLimitMs: 200 }), isHostFault);
  });
  await t.test('in the midst', async () => {
    await using s3 = await startS3((_request, response) => void response.write('PK'));
    await assert.rejects(buffer(await s3.fetch({ timeLimitMs: 500 })), isHostFault);
  });
  await t.test('at the caller’s signal', async () => {
    await using s3 = await startS3((_request, response) => void response.write('PK'));
    const controller = new AbortController();
    const reading = buffer(await s3.fetch({ signal: controller.signal }));
    controller.abort();
    await assert.rejects(reading, isHostFault);
  });
});

test('a server that is not there, or fails, is a fault of the host', async () => {
  await assert.rejects(
    fetchFromS3({
      bucket: 'b',
      key: 'k',
      region: 'us-east-1',
      endpoint: 'http://127.0.0.1:1',
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    }),
    isHostFault,
  );
  await using s3 = await startS3(s3Error(500, 'InternalError', 'We failed'));
  await assert.rejects(s3.fetch(), isHostFault);
});

test('an object cut short is a fault of the host, and nothing of it is kept', async () => {
  await using s3 = await startS3((_request, response) => {
    response.writeHead(200, { 'content-length': '1000' });
    response.write('PK', () => response.destroy());
  });
  await using place = await openPlace();
  await assert.rejects(place.packages.add(await s3.fetch()), isHostFault);
  await waitFor(async () => (await place.names('staging')).length === 0);
});

function isHostFault(error: unknown): boolean {
  return error instanceof Error && !(error instanceof ServiceError);
}

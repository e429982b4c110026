// Records of failures to S3 buckets, one object each. The SDK is loaded when the first one is sent.
import { type AwsAccess, ClientCache } from './client-cache.ts';
import { type Delivery, DeliveryRefused, type Sender } from './sender.ts';

export async function createS3Sender(access: AwsAccess): Promise<Sender> {
  const { PutObjectCommand, S3Client } = await import('@aws-sdk/client-s3');
  // Other services than AWS's are addressed by path. A bucket may be in another region than the function.
  const clients = new ClientCache(
    's3',
    access,
    (config) =>
      new S3Client({
        ...config,
        forcePathStyle: config.endpoint !== undefined,
        followRegionRedirects: true,
      }),
  );
  return {
    async send(delivery, signal) {
      if (delivery.head.reason !== 'onFailure')
        throw new DeliveryRefused('a bucket takes records of failures only');
      const command = new PutObjectCommand({
        Bucket: delivery.target.resource,
        Key: objectKey(delivery),
        Body: delivery.payload,
        ContentType: 'application/json',
      });
      await clients.clientFor(delivery).send(command, { abortSignal: signal });
    },
    [Symbol.dispose]: () => clients[Symbol.dispose](),
  };
}

/**
 * `aws/lambda/async/f/2026/11/24/2026-11-24T01.02.03-{uuid}`. The id of the request is the UUID, where the service has a random one:
 * so the key is the same for every attempt, and none leaves a second object.
 */
function objectKey({ head }: Delivery): string {
  const second = new Date(head.finishedAtMs).toISOString().slice(0, 19).replaceAll(':', '.');
  const day = second.slice(0, 10).replaceAll('-', '/');
  return `aws/lambda/async/${head.functionName}/${day}/${second}-${head.requestId}`;
}

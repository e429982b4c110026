// Microseconds for one verification of a typical Invoke: POST, five headers, 100 bytes. Run: sh bin/node24 bench/micro/sigv4.ts
import { createHash, createHmac } from 'node:crypto';
import { type SignedRequest, SigV4Verifier } from '../../host/auth/sigv4.ts';

const rounds = 21;
const perRound = 20_000;
const at = Date.parse('2026-01-02T03:04:05Z');
const key = {
  kind: 'key',
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
  account: '000000000000',
  principal: 'arn:aws:iam::000000000000:user/admin',
  rights: 'admin',
} as const;

function signedInvoke(body: Uint8Array): SignedRequest {
  const target = '/2015-03-31/functions/hello/invocations';
  const scope = '20260102/us-east-1/lambda/aws4_request';
  const headers = {
    'content-length': `${body.length}`,
    'content-type': 'application/json',
    host: 'localhost:9001',
    'x-amz-date': '20260102T030405Z',
  };
  const sha256 = (data: Uint8Array | string) => createHash('sha256').update(data).digest('hex');
  const names = Object.keys(headers).join(';');
  const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`);
  const canonical = `POST\n${target}\n\n${lines.join('')}\n${names}\n${sha256(body)}`;
  const text = `AWS4-HMAC-SHA256\n20260102T030405Z\n${scope}\n${sha256(canonical)}`;
  let signingKey: Buffer | string = `AWS4${key.secretAccessKey}`;
  for (const part of scope.split('/')) {
    signingKey = createHmac('sha256', signingKey).update(part).digest();
  }
  const signature = createHmac('sha256', signingKey).update(text).digest('hex');
  const authorization = `AWS4-HMAC-SHA256 Credential=${key.accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`;
  const rawHeaders = Object.entries({ ...headers, authorization }).flat();
  return { method: 'POST', target, rawHeaders };
}

const body = Buffer.alloc(100, 'x');
const request = signedInvoke(body);
const verifier = new SigV4Verifier({
  lookup: (id) => (id === key.accessKeyId ? key : 'unknown'),
  services: ['lambda'],
  now: () => at,
});

const figures: number[] = [];
for (let round = 0; round < rounds; round += 1) {
  const start = process.hrtime.bigint();
  for (let index = 0; index < perRound; index += 1) verifier.begin(request).finish(body);
  figures.push(Number(process.hrtime.bigint() - start) / 1000 / perRound);
}
figures.sort((a, b) => a - b);
const quantile = (share: number): string =>
  (figures[Math.floor(share * (rounds - 1))] ?? 0).toFixed(2);
console.log(
  `sigv4 verification: p50 ${quantile(0.5)} µs, best ${quantile(0)} µs, worst ${quantile(1)} µs (rounds of ${perRound})`,
);

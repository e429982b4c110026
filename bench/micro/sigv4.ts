// Microseconds for one verification of a typical Invoke: POST, five headers, 100 bytes.
import { createHash, createHmac } from 'node:crypto';
import { type SignedRequest, SigV4Verifier } from '../../host/auth/sigv4.ts';
import type { Figures, ScenarioOptions } from '../support/scenario.ts';
import { quantile, spread } from '../support/stats.ts';

export const name = 'micro/sigv4';
export const about = 'one verification of a signed Invoke of 100 bytes';

const ROUNDS = 21;
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

export async function run({ rounds = ROUNDS, signal }: ScenarioOptions): Promise<Figures> {
  const body = Buffer.alloc(100, 'x');
  const request = signedInvoke(body);
  const verifier = new SigV4Verifier({
    lookup: (id) => (id === key.accessKeyId ? key : 'unknown'),
    services: ['lambda'],
    now: () => at,
  });
  const figures: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    signal.throwIfAborted();
    const start = performance.now();
    for (let index = 0; index < perRound; index += 1) verifier.begin(request).finish(body);
    figures.push(((performance.now() - start) * 1000) / perRound);
    // A signal is seen between rounds only.
    await new Promise(setImmediate);
  }
  return {
    tables: [
      {
        title: `One verification: median (quartiles) over ${rounds} rounds of ${perRound}`,
        rows: [{ µs: spread(figures), p99: quantile(figures, 0.99) }],
      },
    ],
    notes: [],
  };
}

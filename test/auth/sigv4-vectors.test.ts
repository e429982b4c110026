// Requests signed by a real SDK: every one must come out as recorded.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { SigV4Verifier } from '../../host/auth/sigv4.ts';
import { ServiceError } from '../../host/service-error.ts';
import recorded from '../fixtures/sigv4-vectors.json' with { type: 'json' };

const key = {
  kind: 'key',
  accessKeyId: recorded.accessKeyId,
  secretAccessKey: recorded.secretAccessKey,
  account: '111111111111',
  principal: 'arn:aws:iam::111111111111:user/example',
  rights: 'admin',
} as const;

const verifier = new SigV4Verifier({
  lookup: (id) => (id === key.accessKeyId ? key : 'unknown'),
  services: ['lambda', 'logs'],
  now: () => Date.parse(recorded.serverTime),
  debug: true,
});

type Vector = (typeof recorded.vectors)[number];

function received(vector: Vector) {
  const { method, target } = vector;
  return { method, target, rawHeaders: Object.entries(vector.headers).flat() };
}

/** What the debug text says was hashed, once the signature has been spoilt. */
function hashedFor(vector: Vector): string {
  const spoil = (text: string): string =>
    text.replace(/Signature=[0-9a-f]{64}/, `Signature=${'0'.repeat(64)}`);
  const { method, target, rawHeaders } = received(vector);
  const spoilt = { method, target: spoil(target), rawHeaders: rawHeaders.map(spoil) };
  try {
    verifier.begin(spoilt).finish(Buffer.from(vector.bodyUtf8));
  } catch (error) {
    assert.ok(error instanceof ServiceError);
    return error.message;
  }
  return assert.fail('a spoilt signature was accepted');
}

suite('recorded signatures', () => {
  for (const vector of recorded.vectors) {
    if (vector.valid) {
      test(`${vector.name} is accepted, twice`, () => {
        for (let round = 0; round < 2; round += 1) {
          const verified = verifier.begin(received(vector)).finish(Buffer.from(vector.bodyUtf8));
          assert.equal(verified.key, key);
          assert.equal(verified.region, recorded.region);
          assert.equal(verified.service, vector.name === 'logs-filter' ? 'logs' : 'lambda');
        }
      });
    } else {
      test(`${vector.name} is refused`, () => {
        const pending = verifier.begin(received(vector));
        assert.throws(() => pending.finish(Buffer.from(vector.bodyUtf8)), {
          name: 'InvalidSignatureException',
        });
      });
    }
    const { canonicalRequest, stringToSign } = vector;
    if (vector.valid && canonicalRequest !== undefined) {
      test(`${vector.name} has the recorded canonical request and string to sign`, () => {
        assert.equal(
          hashedFor(vector),
          `The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.

The Canonical String for this request should have been
'${canonicalRequest}'

The String-to-Sign should have been
'${stringToSign}'`,
        );
      });
    }
  }
});

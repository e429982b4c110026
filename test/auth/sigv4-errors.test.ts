// Every refusal, by its exact text and in the service's order: carrier, form, key, token, scope, time, signature.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type SignedRequest, SigV4Verifier } from '../../host/auth/sigv4.ts';
import { sign } from './signing.ts';

const at = Date.parse('2026-01-02T03:04:05Z');
const pair = { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'secret' };
const key = {
  kind: 'key',
  ...pair,
  account: '111111111111',
  principal: 'arn:aws:iam::111111111111:user/example',
  rights: 'admin',
} as const;
const scope = `${pair.accessKeyId}/20260102/us-east-1/lambda/aws4_request`;
const zeros = '0'.repeat(64);

function verifierAt(now: number): SigV4Verifier {
  return new SigV4Verifier({
    lookup: (id, token) => {
      if (token === 'old') return 'expired';
      return id === key.accessKeyId && token === undefined ? key : 'unknown';
    },
    services: ['lambda'],
    now: () => now,
  });
}

const verifier = verifierAt(at);

function withHeader(authorization: string, more: readonly string[] = []): SignedRequest {
  const dated = ['X-Amz-Date', '20260102T030405Z', ...more];
  return {
    method: 'GET',
    target: '/2015-03-31/functions',
    rawHeaders: ['Host', 'localhost:9001', 'Authorization', authorization, ...dated],
  };
}

function credential(text: string, signedHeaders = 'host;x-amz-date'): SignedRequest {
  return withHeader(
    `AWS4-HMAC-SHA256 Credential=${text}, SignedHeaders=${signedHeaders}, Signature=${zeros}`,
  );
}

function refuses(request: SignedRequest, name: string, message: string, by = verifier): void {
  assert.throws(() => by.begin(request), { name, message });
}

suite('the Authorization header', () => {
  test('absent: MissingAuthenticationTokenException', () => {
    const request = { method: 'GET', target: '/?X-Amz-Meta=1', rawHeaders: ['Host', 'localhost'] };
    refuses(request, 'MissingAuthenticationTokenException', 'Missing Authentication Token');
  });

  test('beside a signed query: refused', () => {
    const request = { ...credential(scope), target: '/?X-Amz-Signature=abc' };
    refuses(
      request,
      'IncompleteSignatureException',
      "A request may carry its signature in the 'Authorization' header or in the query string, not in both.",
    );
  });

  test('one word and no date: every missing part is named', () => {
    const request = { method: 'GET', target: '/', rawHeaders: ['authorization', 'abc'] };
    refuses(
      request,
      'IncompleteSignatureException',
      "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. Authorization=abc",
    );
  });

  for (const [part, others] of [
    ['Credential', `SignedHeaders=host, Signature=${zeros}`],
    ['Signature', `Credential=${scope}, SignedHeaders=host`],
    ['SignedHeaders', `Credential=${scope}, Signature=${zeros}`],
  ] as const) {
    test(`without ${part}: that part is named`, () => {
      refuses(
        withHeader(`AWS4-HMAC-SHA256 ${others}`),
        'IncompleteSignatureException',
        `Authorization header requires '${part}' parameter. Authorization=AWS4-HMAC-SHA256`,
      );
    });
  }

  test('a part without an equal-sign: quoted with its header', () => {
    refuses(
      withHeader('Bearer sesame'),
      'IncompleteSignatureException',
      "'sesame' not a valid key=value pair (missing equal-sign) in Authorization header: 'Bearer sesame'.",
    );
  });

  test('a credential of four elements: quoted', () => {
    refuses(
      credential('AKIAEXAMPLE/20260102/us-east-1/lambda'),
      'IncompleteSignatureException',
      "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'AKIAEXAMPLE/20260102/us-east-1/lambda'",
    );
  });

  test('another algorithm: named', () => {
    refuses(
      withHeader(`AWS4-HMAC-MD5 Credential=${scope}, SignedHeaders=host, Signature=${zeros}`),
      'IncompleteSignatureException',
      "Unsupported AWS 'algorithm': 'AWS4-HMAC-MD5'",
    );
  });

  test('a date that is none: quoted', () => {
    for (const date of ['yesterday', '20260230T000000Z', '']) {
      const request = credential(scope);
      const rawHeaders = request.rawHeaders.with(5, date);
      refuses(
        { ...request, rawHeaders },
        'IncompleteSignatureException',
        `Date must be in ISO-8601 'basic format'. Got '${date}'.`,
      );
    }
  });
});

suite('the key', () => {
  const invalid = 'The security token included in the request is invalid.';

  test('unknown: UnrecognizedClientException, before its scope is looked at', () => {
    refuses(credential('AKIANOBODY/1/x/y/z'), 'UnrecognizedClientException', invalid);
  });

  test('with a token that is not its own: UnrecognizedClientException', () => {
    const { method, target, rawHeaders } = credential(scope);
    const request = { method, target, rawHeaders: [...rawHeaders, 'X-Amz-Security-Token', 'x'] };
    refuses(request, 'UnrecognizedClientException', invalid);
  });

  test('with an expired token: ExpiredTokenException', () => {
    const { method, target, rawHeaders } = credential(scope);
    const request = { method, target, rawHeaders: [...rawHeaders, 'X-Amz-Security-Token', 'old'] };
    refuses(
      request,
      'ExpiredTokenException',
      'The security token included in the request is expired',
    );
  });
});

suite('the scope', () => {
  test('of no region', () => {
    refuses(
      credential('AKIAEXAMPLE/20260102/mars/lambda/aws4_request'),
      'InvalidSignatureException',
      'Credential should be scoped to a valid region. ',
    );
  });

  test('of another service', () => {
    refuses(
      credential('AKIAEXAMPLE/20260102/us-east-1/sqs/aws4_request'),
      'InvalidSignatureException',
      "Credential should be scoped to correct service: 'lambda'. ",
    );
  });

  test('with another terminator', () => {
    refuses(
      credential('AKIAEXAMPLE/20260102/us-east-1/lambda/aws5'),
      'InvalidSignatureException',
      "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5'. ",
    );
  });

  test('without host among the signed headers', () => {
    refuses(
      credential(scope, 'x-amz-date'),
      'InvalidSignatureException',
      "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
    );
  });

  test('of another day than the date', () => {
    refuses(
      credential('AKIAEXAMPLE/20260103/us-east-1/lambda/aws4_request'),
      'InvalidSignatureException',
      "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20260103' != '20260102', from '20260102T030405Z'.",
    );
  });

  test('eusc, gov, iso and cn regions are regions', async () => {
    for (const region of ['eusc-de-east-1', 'us-gov-west-1', 'us-isob-east-1', 'cn-north-1']) {
      const request = await sign({ method: 'GET', path: '/' }, { key: pair, at, region });
      assert.equal(verifier.begin(request).finish(Buffer.alloc(0)).region, region);
    }
  });
});

suite('the clock', () => {
  const five = 5 * 60_000;

  test('five minutes ahead or behind are accepted', async () => {
    const request = await sign({ method: 'GET', path: '/' }, { key: pair, at });
    for (const now of [at - five, at, at + five]) {
      assert.equal(verifierAt(now).begin(request).finish(Buffer.alloc(0)).key, key);
    }
  });

  test('more than five minutes behind: expired, with both times', () => {
    refuses(
      credential(scope),
      'InvalidSignatureException',
      'Signature expired: 20260102T030405Z is now earlier than 20260102T030406Z (20260102T030906Z - 5 min.)',
      verifierAt(at + five + 1000),
    );
  });

  test('more than five minutes ahead: not yet current, with both times', () => {
    refuses(
      credential(scope),
      'InvalidSignatureException',
      'Signature not yet current: 20260102T030405Z is still later than 20260102T030404Z (20260102T025904Z + 5 min.)',
      verifierAt(at - five - 1000),
    );
  });
});

suite('a presigned query', () => {
  const presigned = (): Promise<SignedRequest> =>
    sign(
      { method: 'GET', path: '/2015-03-31/functions/f' },
      { key: pair, at, expiresSeconds: 300 },
    );

  test('holds from five minutes before its date to the end of its life', async () => {
    const request = await presigned();
    for (const now of [at - 300_000, at, at + 300_000]) {
      assert.equal(verifierAt(now).begin(request).finish(Buffer.alloc(0)).key, key);
    }
  });

  test('past its life: expired', async () => {
    refuses(
      await presigned(),
      'InvalidSignatureException',
      'Signature expired: 20260102T030905Z is now earlier than 20260102T030906Z',
      verifierAt(at + 301_000),
    );
  });

  test('before its time: not yet current', async () => {
    refuses(
      await presigned(),
      'InvalidSignatureException',
      'Signature not yet current: 20260102T030405Z is still later than 20260102T030404Z (20260102T025904Z + 5 min.)',
      verifierAt(at - 301_000),
    );
  });

  test('a life of no, too many or odd seconds is refused', async () => {
    const { method, target, rawHeaders } = await presigned();
    for (const life of ['0', '604801', '1e3', '-5']) {
      refuses(
        { method, target: target.replace('Expires=300', `Expires=${life}`), rawHeaders },
        'IncompleteSignatureException',
        `'X-Amz-Expires' must be a number of seconds from 1 to 604800, got '${life}'.`,
      );
    }
  });

  test('a changed life does not match its signature', async () => {
    const { method, target, rawHeaders } = await presigned();
    const longer = target.replace('Expires=300', 'Expires=3000');
    const pending = verifier.begin({ method, target: longer, rawHeaders });
    assert.throws(() => pending.finish(Buffer.alloc(0)), { name: 'InvalidSignatureException' });
  });

  test('with parts missing: each is named', () => {
    refuses(
      { method: 'GET', target: '/?X-Amz-Signature=00&X-Amz-Date=20260102T030405Z', rawHeaders: [] },
      'IncompleteSignatureException',
      "AWS query-string parameters must include 'X-Amz-Algorithm'. AWS query-string parameters must include 'X-Amz-Credential'. AWS query-string parameters must include 'X-Amz-SignedHeaders'. AWS query-string parameters must include 'X-Amz-Expires'. Re-examine the query-string parameters.",
    );
  });
});

suite('the signature', () => {
  const mismatch = {
    name: 'InvalidSignatureException',
    message:
      'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
  };

  test('that does not match gets the short text, first and later', async () => {
    const good = await sign({ method: 'GET', path: '/2015-03-31/functions' }, { key: pair, at });
    for (let round = 0; round < 2; round += 1) {
      const pending = verifier.begin(credential(scope));
      assert.throws(() => pending.finish(Buffer.alloc(0)), mismatch);
      verifier.begin(good).finish(Buffer.alloc(0));
    }
  });

  test('by another secret is refused, also after the right one has been seen', async () => {
    const good = await sign({ method: 'GET', path: '/' }, { key: pair, at });
    verifier.begin(good).finish(Buffer.alloc(0));
    const forged = { ...pair, secretAccessKey: 'guess' };
    const bad = await sign({ method: 'GET', path: '/' }, { key: forged, at });
    assert.throws(() => verifier.begin(bad).finish(Buffer.alloc(0)), mismatch);
  });

  test('of another length or alphabet is refused', () => {
    for (const signature of ['0', zeros.slice(1), `${zeros}0`, 'é'.repeat(64)]) {
      const request = withHeader(
        `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=${signature}`,
      );
      assert.throws(() => verifier.begin(request).finish(Buffer.alloc(0)), mismatch);
    }
  });

  test('declared for another body is refused', async () => {
    const headers = { 'x-amz-content-sha256': zeros };
    const request = await sign({ method: 'PUT', path: '/', headers }, { key: pair, at });
    const pending = verifier.begin(request);
    assert.equal(pending.isProven, true);
    assert.throws(() => pending.finish(Buffer.from('{}')), mismatch);
  });

  test('over a declared hash is checked before the body is there', async () => {
    const forged = { ...pair, secretAccessKey: 'guess' };
    for (const hash of [zeros, 'UNSIGNED-PAYLOAD']) {
      const put = { method: 'PUT', path: '/', headers: { 'x-amz-content-sha256': hash } };
      const bad = await sign(put, { key: forged, at });
      assert.throws(() => verifier.begin(bad), mismatch);
    }
  });

  test('over a hash that is not declared takes the body', async () => {
    const body = '{}';
    const request = await sign({ method: 'PUT', path: '/', body }, { key: pair, at });
    const pending = verifier.begin(request);
    assert.equal(pending.isProven, false);
    assert.equal(pending.finish(Buffer.from(body)).key, key);
    assert.throws(() => verifier.begin(request).finish(Buffer.from('[]')), mismatch);
  });

  test('over chunks is not for this API', async () => {
    const headers = { 'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD' };
    const request = await sign({ method: 'PUT', path: '/', headers }, { key: pair, at });
    refuses(
      request,
      'InvalidSignatureException',
      "'X-Amz-Content-Sha256' must be UNSIGNED-PAYLOAD or a SHA-256 in hex, got 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD'.",
    );
  });
});

// Whatever the SDK's signer signs, we accept; whatever is changed afterwards, we refuse.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { type SignedRequest, SigV4Verifier } from '../../host/auth/sigv4.ts';
import { type KeyPair, sign, type Unsigned } from './signing.ts';

const at = Date.parse('2026-01-02T03:04:05Z');
const pair: KeyPair = {
  accessKeyId: 'ASIAEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
  sessionToken: 'TOKEN/abc+def==',
};
const key = {
  kind: 'key',
  accessKeyId: pair.accessKeyId,
  secretAccessKey: pair.secretAccessKey,
  account: '111111111111',
  principal: 'arn:aws:iam::111111111111:user/example',
  rights: 'admin',
} as const;

const verifier = new SigV4Verifier({
  lookup: (id, token) => (id === key.accessKeyId && token === pair.sessionToken ? key : 'unknown'),
  services: ['lambda'],
  now: () => at,
  trustedHosts: ['lambda.example.org'],
});

// Keys of objects must not be numbers, whose order an object does not keep, nor names that stand for the signature itself.
const text = fc.string({
  unit: fc.constantFrom(...Array.from("abzAZ019-_.~ +/:?=&%$!'()*,;@é漢\t")),
  maxLength: 12,
});
const queryKey = text.filter((name) => !/^\d*$/.test(name)).map((name) => `k${name}`);
const query = fc.dictionary(
  queryKey,
  fc.oneof(text, fc.array(text, { minLength: 1, maxLength: 4 })),
  {
    maxKeys: 5,
  },
);
const segment = text.map((raw) => encodeURIComponent(raw));
const path = fc
  .array(fc.oneof(segment, fc.constantFrom('', '.', '..', 'a:b', '$LATEST', 'f')), { maxLength: 6 })
  .map((segments) => `/${segments.join('/')}`);
const headers = fc.dictionary(
  fc
    .string({ unit: fc.constantFrom(...Array.from('abcz09-')), minLength: 1, maxLength: 10 })
    .map((name) => `x-${name}`),
  text,
  { maxKeys: 5 },
);
const request: fc.Arbitrary<Unsigned> = fc.record({
  method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE'),
  path,
  query,
  headers,
  body: fc.oneof(fc.constant(undefined), fc.string({ unit: 'grapheme', maxLength: 200 })),
});

function bytesOf(unsigned: Unsigned): Uint8Array {
  return Buffer.from(unsigned.body ?? '', 'utf8');
}

function accepts(signed: SignedRequest, body: Uint8Array): boolean {
  try {
    return verifier.begin(signed).finish(body).key === key;
  } catch {
    // Whatever the reason, it is a refusal; the reasons have tests of their own.
    return false;
  }
}

suite('against the SDK signer', () => {
  test('requests signed in the header are accepted, in any letter case and order of headers', async () => {
    await fc.assert(
      fc.asyncProperty(request, fc.boolean(), async (unsigned, unsignedPayload) => {
        const extra = unsignedPayload ? { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } : {};
        const all = { ...unsigned, headers: { ...unsigned.headers, ...extra } };
        const signed = await sign(all, { key: pair, at });
        assert.ok(accepts(signed, bytesOf(unsigned)));
        const rawHeaders = signed.rawHeaders.map((part, index) =>
          index % 2 === 0 ? part.toUpperCase() : part,
        );
        assert.ok(accepts({ ...signed, rawHeaders }, bytesOf(unsigned)));
      }),
      { numRuns: 500 },
    );
  });

  test('requests signed in the query are accepted', async () => {
    await fc.assert(
      fc.asyncProperty(request, async (unsigned) => {
        const signed = await sign(unsigned, { key: pair, at, expiresSeconds: 60 });
        assert.ok(accepts(signed, bytesOf(unsigned)));
      }),
      { numRuns: 500 },
    );
  });

  test('a change of method, path, query, signed header, token or body is refused', async () => {
    const changes: ((signed: SignedRequest) => SignedRequest)[] = [
      (signed) => ({ ...signed, method: 'PATCH' }),
      (signed) => ({ ...signed, target: signed.target.replace(/^[^?]*/, '$&/x') }),
      (signed) => ({
        ...signed,
        target: `${signed.target}${signed.target.includes('?') ? '&' : '?'}x=1`,
      }),
      ...['host', 'x-own', 'x-amz-security-token'].map((name) => (signed: SignedRequest) => {
        const at = signed.rawHeaders.indexOf(name) + 1;
        return { ...signed, rawHeaders: signed.rawHeaders.with(at, `${signed.rawHeaders[at]}x`) };
      }),
    ];
    await fc.assert(
      fc.asyncProperty(request, async (unsigned) => {
        const all = { ...unsigned, headers: { ...unsigned.headers, 'x-own': 'value' } };
        const signed = await sign(all, { key: pair, at });
        for (const change of changes) assert.ok(!accepts(change(signed), bytesOf(unsigned)));
        assert.ok(!accepts(signed, Buffer.from(`${unsigned.body ?? ''}x`)));
      }),
      { numRuns: 200 },
    );
  });
});

suite('where the standard leaves room', () => {
  const none = Buffer.alloc(0);

  test('a space that was sent as + is accepted, and so is a literal +', async () => {
    for (const value of ['a b', 'a+b']) {
      const signed = await sign(
        { method: 'GET', path: '/', query: { Marker: value } },
        { key: pair, at },
      );
      assert.ok(accepts({ ...signed, target: '/?Marker=a+b' }, none), value);
    }
  });

  test('a key without = and lower-case escapes are read as what they mean', async () => {
    const unsigned = { method: 'GET', path: '/', query: { find: '', Arn: 'a:b' } };
    const signed = await sign(unsigned, { key: pair, at });
    assert.ok(accepts({ ...signed, target: '/?find&Arn=a%3ab' }, none));
  });

  test('repeated headers are joined in the order they came', async () => {
    const signed = await sign(
      { method: 'GET', path: '/', headers: { 'x-a': '1,2' } },
      { key: pair, at },
    );
    const others = signed.rawHeaders.filter((_, index) => signed.rawHeaders[index & ~1] !== 'x-a');
    assert.ok(accepts({ ...signed, rawHeaders: [...others, 'X-A', ' 1', 'x-a', '2 '] }, none));
    assert.ok(!accepts({ ...signed, rawHeaders: [...others, 'X-A', '2', 'x-a', '1'] }, none));
  });

  test('the parts of Authorization may stand in any order, without spaces', async () => {
    const signed = await sign({ method: 'GET', path: '/' }, { key: pair, at });
    const at1 = signed.rawHeaders.indexOf('authorization') + 1;
    const parts = (signed.rawHeaders[at1] ?? '').replace('AWS4-HMAC-SHA256 ', '').split(', ');
    const reversed = `AWS4-HMAC-SHA256 ${parts.reverse().join(',')}`;
    assert.ok(accepts({ ...signed, rawHeaders: signed.rawHeaders.with(at1, reversed) }, none));
  });

  test('Date serves when there is no X-Amz-Date, in either form', async () => {
    const signed = await sign({ method: 'GET', path: '/' }, { key: pair, at });
    const scope = 'SignedHeaders=host;x-amz-date;x-amz-security-token';
    const authorization = signed.rawHeaders[signed.rawHeaders.indexOf('authorization') + 1] ?? '';
    assert.ok(authorization.includes(scope));
    for (const date of ['Fri, 02 Jan 2026 03:04:05 GMT', '20260102T030405Z']) {
      const rawHeaders = ['Host', 'localhost:9001', 'Date', date, 'Authorization', authorization];
      const token = ['X-Amz-Security-Token', pair.sessionToken ?? ''];
      const pending = verifier.begin({ ...signed, rawHeaders: [...rawHeaders, ...token] });
      assert.equal(pending.region, 'us-east-1');
    }
  });

  test('a proxy that rewrites Host is believed only for trusted names', async () => {
    for (const [forwarded, expected] of [
      ['lambda.example.org', true],
      ['lambda.example.org:443', true],
      ['evil.example.org', false],
    ] as const) {
      const unsigned = { method: 'GET', path: '/', headers: { host: forwarded } };
      const signed = await sign(unsigned, { key: pair, at });
      const rawHeaders = signed.rawHeaders.with(signed.rawHeaders.indexOf('host') + 1, '10.0.0.1');
      const proxied = { ...signed, rawHeaders: [...rawHeaders, 'X-Forwarded-Host', forwarded] };
      assert.equal(accepts(proxied, none), expected, forwarded);
    }
  });
});

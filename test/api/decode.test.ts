import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { decodeInput, type RequestHeaders } from '../../host/api/decode.ts';
import { ServiceError } from '../../host/service-error.ts';
import { request } from '../support/wire-request.ts';

const configuration = '/2015-03-31/functions/f/configuration';
const mappings = '/2015-03-31/event-source-mappings';

function decode(method: string, url: string, body?: unknown, headers: RequestHeaders = {}) {
  return decodeInput(...request(method, url, body, headers));
}

function refusal(method: string, url: string, body?: unknown): string {
  try {
    decode(method, url, body);
  } catch (error) {
    assert.ok(error instanceof ServiceError, String(error));
    assert.equal(error.name, 'SerializationException');
    assert.equal(error.status, 400);
    return error.message;
  }
  assert.fail(`${method} ${url} was accepted`);
}

suite('Decoding', () => {
  test('gathers members from path, query, headers and body', () => {
    const headers = {
      'x-amz-invocation-type': 'Event',
      'x-amz-log-type': 'Tail',
      'x-amz-client-context': 'e30=',
      'x-amz-tenant-id': 't 1',
    };
    const url = '/2015-03-31/functions/f%3APROD/invocations?Qualifier=PROD';
    const payload = Buffer.from('not json');
    assert.deepEqual(decode('POST', url, payload, headers), {
      FunctionName: 'f:PROD',
      Qualifier: 'PROD',
      InvocationType: 'Event',
      LogType: 'Tail',
      ClientContext: 'e30=',
      TenantId: 't 1',
      Payload: payload,
    });
    assert.deepEqual(decode('PUT', '/2015-03-31/functions/f/aliases/a', { Description: 'd' }), {
      FunctionName: 'f',
      Name: 'a',
      Description: 'd',
    });
  });

  test('passes a payload on without a copy, and leaves an empty one out', () => {
    const url = '/2015-03-31/functions/f/invocations';
    const payload = Buffer.from('{"a":1}');
    const [match] = request('POST', url);
    assert.equal(match.operation, 'Invoke');
    const decoded = decodeInput({ ...match, operation: 'Invoke' }, {}, payload);
    assert.equal(decoded.Payload, payload);
    assert.deepEqual(decode('POST', url), { FunctionName: 'f' });
    assert.deepEqual(decode('POST', '/2014-11-13/functions/f/invoke-async/'), {
      FunctionName: 'f',
      InvokeArgs: Buffer.alloc(0),
    });
  });

  test('reads a payload that is a structure', () => {
    const url = '/2025-12-01/durable-execution-callbacks/aGk%3D/fail';
    const error = { ErrorType: 'E', StackTrace: ['a'] };
    assert.deepEqual(decode('POST', url, error), { CallbackId: 'aGk=', Error: error });
    assert.deepEqual(decode('POST', url), { CallbackId: 'aGk=' });
    assert.match(refusal('POST', url, { ErrorType: 1 }), /at 'error\.errorType'$/);
  });

  test('takes an absent, empty or null body for one without members', () => {
    for (const body of [undefined, '{}', 'null', ' {} ']) {
      assert.deepEqual(decode('PUT', configuration, body), { FunctionName: 'f' });
    }
  });

  test('takes a member that is null for an absent one, and ignores unknown members', () => {
    const body = {
      Description: null,
      VpcConfig: { SubnetIds: null },
      Unknown: { a: 1 },
      FunctionName: 'g',
    };
    assert.deepEqual(decode('PUT', configuration, body), { FunctionName: 'f', VpcConfig: {} });
  });

  test('does not read the body of an operation that has none', () => {
    assert.deepEqual(decode('GET', configuration, 'not json'), { FunctionName: 'f' });
  });

  test('refuses a body that is not a JSON object in UTF-8', () => {
    for (const body of ['{', 'x', '{"a":1}}', '\ufeff{}']) {
      assert.equal(refusal('PUT', configuration, body), 'The request body is not valid JSON');
    }
    assert.equal(
      refusal('PUT', configuration, Buffer.from([0x22, 0xff, 0x22])),
      'The request body is not valid UTF-8',
    );
    assert.equal(refusal('PUT', configuration, '[]'), 'Start of list found where not expected');
    assert.equal(
      refusal('PUT', configuration, '"a"'),
      'STRING_VALUE can not be converted to a Structure',
    );
  });

  test('refuses values of another JSON type, and says where', () => {
    const refuse = (body: unknown) => refusal('PUT', configuration, body);
    assert.equal(
      refuse({ Description: 1 }),
      "NUMBER_VALUE can not be converted to a String at 'description'",
    );
    assert.equal(
      refuse({ Timeout: '3' }),
      "STRING_VALUE can not be converted to an Integer at 'timeout'",
    );
    assert.equal(
      refuse({ Timeout: true }),
      "TRUE_VALUE can not be converted to an Integer at 'timeout'",
    );
    assert.equal(
      refuse({ Layers: {} }),
      "Start of structure or map found where not expected at 'layers'",
    );
    assert.equal(
      refuse({ Layers: 'a' }),
      "STRING_VALUE can not be converted to a List at 'layers'",
    );
    assert.equal(
      refuse({ Layers: [1] }),
      "NUMBER_VALUE can not be converted to a String at 'layers.1.member'",
    );
    assert.equal(
      refuse({ VpcConfig: [] }),
      "Start of list found where not expected at 'vpcConfig'",
    );
    assert.equal(
      refuse({ Environment: { Variables: { KEY: 1 } } }),
      "NUMBER_VALUE can not be converted to a String at 'environment.variables.KEY'",
    );
    assert.equal(
      refuse({ VpcConfig: { Ipv6AllowedForDualStack: 'true' } }),
      "STRING_VALUE can not be converted to a Boolean at 'vpcConfig.ipv6AllowedForDualStack'",
    );
  });

  test('takes whole numbers for integers, however they are written', () => {
    assert.deepEqual(decode('PUT', configuration, '{"Timeout":3.0}'), {
      FunctionName: 'f',
      Timeout: 3,
    });
    for (const number of ['3.5', '1e400', '2147483648', '-2147483649']) {
      assert.match(refusal('PUT', configuration, `{"Timeout":${number}}`), /^NUMBER_VALUE can not/);
    }
  });

  test('reads labels and queries that are numbers, booleans, times and lists', () => {
    const layer = (version: string) => `/2018-10-31/layers/l/versions/${version}`;
    assert.deepEqual(decode('GET', layer('-1')), { LayerName: 'l', VersionNumber: -1 });
    for (const version of ['1.5', 'x', '', '0x1', ' 1', '1e3', '9007199254740993']) {
      const path = version === '' ? `${layer('')}/policy` : layer(version);
      assert.match(
        refusal('GET', path),
        /^STRING_VALUE can not be converted to a Long at 'versionNumber'$/,
      );
    }
    const executions = '/2025-12-01/functions/f/durable-executions';
    const query = 'Statuses=RUNNING&Statuses=FAILED&ReverseOrder=true&MaxItems=5';
    assert.deepEqual(decode('GET', `${executions}?${query}`), {
      FunctionName: 'f',
      Statuses: ['RUNNING', 'FAILED'],
      ReverseOrder: true,
      MaxItems: 5,
    });
    assert.match(
      refusal('GET', `${executions}?ReverseOrder=yes`),
      /to a Boolean at 'reverseOrder'$/,
    );
    assert.match(refusal('GET', `${executions}?MaxItems=`), /to an Integer at 'maxItems'$/);
  });

  test('reads times in queries as ISO 8601 or seconds', () => {
    const after = (time: string) =>
      `/2025-12-01/functions/f/durable-executions?StartedAfter=${time}`;
    for (const time of [
      '2026-01-02T03:04:05.250Z',
      '2026-01-02T04:04:05.25%2B01:00',
      '2026-01-02T04:04:05.25+01:00',
      '1767323045.25',
    ]) {
      assert.deepEqual(
        decode('GET', after(time)),
        { FunctionName: 'f', StartedAfter: 1767323045.25 },
        time,
      );
    }
    for (const time of [
      'yesterday',
      '2026-13-01T00:00:00Z',
      '2026-01-02',
      '9e99',
      '1'.repeat(300),
    ]) {
      assert.match(refusal('GET', after(time)), /to a Timestamp at 'startedAfter'$/, time);
    }
  });

  test('reads times in bodies as seconds, within what a date can hold', () => {
    const body = (time: unknown) => ({ FunctionName: 'f', StartingPositionTimestamp: time });
    assert.deepEqual(decode('POST', mappings, body(1569284520.333)), body(1569284520.333));
    for (const time of ['2026-01-02T03:04:05Z', 1e300, true]) {
      assert.match(
        refusal('POST', mappings, body(time)),
        /to a Timestamp at 'startingPositionTimestamp'$/,
      );
    }
  });

  test('takes the first of a scalar that is sent twice', () => {
    const url = '/2015-03-31/functions/f?Qualifier=1&Qualifier=2';
    assert.deepEqual(decode('GET', url), { FunctionName: 'f', Qualifier: '1' });
  });

  test('takes an empty header for an absent one', () => {
    const headers = { 'x-amz-log-type': '', 'x-amz-tenant-id': ['a', 'b'] };
    const url = '/2015-03-31/functions/f/invocations';
    assert.deepEqual(decode('POST', url, undefined, headers), { FunctionName: 'f', TenantId: 'a' });
  });

  test('reads blobs from standard base64 and nothing else', () => {
    const code = '/2015-03-31/functions/f/code';
    for (const bytes of [
      Buffer.from('ab?>\u00ff'),
      Buffer.from('abc'),
      Buffer.from('a'),
      Buffer.alloc(0),
    ]) {
      const decoded = decode('PUT', code, { ZipFile: bytes.toString('base64') });
      assert.deepEqual(decoded, { FunctionName: 'f', ZipFile: bytes });
    }
    for (const text of [
      'YQ',
      'YQ=',
      'Y===',
      '====',
      'YQ==YQ==',
      'YW Jj',
      'YW\nJj',
      '_-_-',
      'YW!j',
      'YWJ\nZA==',
      'é===',
    ]) {
      const message = refusal('PUT', code, { ZipFile: text });
      assert.equal(message, "The value at 'zipFile' is not valid base64", text);
    }
  });

  test('gives maps without a prototype', () => {
    const body = '{"Environment":{"Variables":{"constructor":"c"}}}';
    const [match, headers, bytes] = request('PUT', configuration, body);
    assert.equal(match.operation, 'UpdateFunctionConfiguration');
    const operation = 'UpdateFunctionConfiguration' as const;
    const variables = decodeInput({ ...match, operation }, headers, bytes).Environment?.Variables;
    assert.ok(variables);
    assert.equal(Object.getPrototypeOf(variables), null);
    assert.deepEqual(Object.keys(variables), ['constructor']);
    assert.equal(variables['toString'], undefined);
  });

  test('does not take members from a __proto__ key', () => {
    const body = '{"__proto__":{"Timeout":9},"VpcConfig":{"__proto__":{"SubnetIds":[]}}}';
    assert.deepEqual(decode('PUT', configuration, body), { FunctionName: 'f', VpcConfig: {} });
    assert.equal(Object.hasOwn(Object.prototype, 'Timeout'), false);
  });

  test('survives deep nesting', () => {
    const deep = '['.repeat(200_000) + ']'.repeat(200_000);
    assert.match(refusal('PUT', configuration, `{"Description":${deep}}`), /^Start of list/);
    assert.deepEqual(decode('PUT', configuration, `{"Unknown":${deep}}`), { FunctionName: 'f' });
  });
});

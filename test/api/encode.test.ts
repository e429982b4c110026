import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { encodeOutput } from '../../host/api/encode.ts';
import type { FunctionConfiguration } from '../../host/api/model/types.ts';

const json = { 'Content-Type': 'application/json' };

suite('Encoding', () => {
  test('writes members with a value and drops the others', () => {
    const answer = encodeOutput('GetAlias', {
      Name: 'a',
      Description: '',
      FunctionVersion: undefined,
      RoutingConfig: { AdditionalVersionWeights: { 2: 0.5 } },
    });
    assert.deepEqual(answer, {
      status: 200,
      headers: json,
      body: '{"Name":"a","Description":"","RoutingConfig":{"AdditionalVersionWeights":{"2":0.5}}}',
    });
  });

  test('keeps empty lists and maps, and keys that are names of Object.prototype', () => {
    const tags = JSON.parse('{"__proto__":"p","constructor":"c"}') as Record<string, string>;
    assert.equal(encodeOutput('ListTags', { Tags: {} }).body, '{"Tags":{}}');
    assert.equal(
      encodeOutput('ListTags', { Tags: tags }).body,
      '{"Tags":{"__proto__":"p","constructor":"c"}}',
    );
    assert.equal(encodeOutput('ListLayers', { Layers: [] }).body, '{"Layers":[]}');
  });

  test('writes nothing that the shape does not name', () => {
    const stored = { FunctionName: 'f', secret: 's', VpcConfig: { VpcId: 'v', secret: 's' } };
    const output: FunctionConfiguration = stored;
    const answer = encodeOutput('GetFunctionConfiguration', output);
    assert.equal(answer.body, '{"FunctionName":"f","VpcConfig":{"VpcId":"v"}}');
  });

  test('writes times as seconds', () => {
    const output = { Name: undefined, LastModified: 1569284520.333 };
    assert.equal(
      encodeOutput('GetFunctionEventInvokeConfig', output).body,
      '{"LastModified":1569284520.333}',
    );
  });

  test('takes the status from the model, a departure, or the output, each before the one before it', () => {
    assert.equal(encodeOutput('CreateFunction', {}).status, 201);
    assert.equal(encodeOutput('DeleteFunction', {}).status, 200);
    assert.equal(encodeOutput('DeleteFunction', {}, 204).status, 204);
    assert.equal(encodeOutput('DeleteFunction', { StatusCode: 202 }, 204).status, 202);
  });

  test('has an empty object for an answer without members, and no body at all for 204', () => {
    assert.deepEqual(encodeOutput('DeleteFunction', {}, 202), {
      status: 202,
      headers: json,
      body: '{}',
    });
    assert.equal(encodeOutput('InvokeAsync', { Status: 202 }).body, '{}');
    const empty = { status: 204, headers: {}, body: undefined };
    assert.deepEqual(encodeOutput('DeleteAlias', undefined), empty);
    assert.deepEqual(encodeOutput('DeleteFunction', {}, 204), empty);
    assert.deepEqual(encodeOutput('DeleteCodeSigningConfig', {}), empty);
  });

  test('writes Invoke as headers and a payload that is not touched', () => {
    const payload = Buffer.from('{"a":1}');
    const output = {
      StatusCode: 200,
      FunctionError: 'Unhandled',
      LogResult: 'bG9n',
      ExecutedVersion: '$LATEST',
      Payload: payload,
    };
    const answer = encodeOutput('Invoke', output);
    assert.equal(answer.body, payload);
    assert.deepEqual(answer, {
      status: 200,
      headers: {
        ...json,
        'X-Amz-Function-Error': 'Unhandled',
        'X-Amz-Log-Result': 'bG9n',
        'X-Amz-Executed-Version': '$LATEST',
      },
      body: payload,
    });
    assert.deepEqual(encodeOutput('Invoke', { StatusCode: 202 }), {
      status: 202,
      headers: json,
      body: '',
    });
  });

  test('makes only the head of an event stream', () => {
    async function* events() {}
    const output = { StatusCode: 200, ExecutedVersion: '7', EventStream: events() };
    assert.deepEqual(encodeOutput('InvokeWithResponseStream', output), {
      status: 200,
      headers: { 'X-Amz-Executed-Version': '7' },
      body: undefined,
    });
  });
});

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { contract } from '../../host/api/model/contract.ts';
import { createRouter } from '../../host/http/router.ts';

const router = createRouter();
const functionArn = 'arn:aws:lambda:us-east-1:123456789012:function:my-fn:PROD';

/** A request line for a route template: every label filled with `value`, as it is. */
function fill(template: string, value: string): string {
  return template.replaceAll(/\{\w+\}/g, () => value);
}

function withQuery(path: string, query: Readonly<Record<string, string>> = {}): string {
  const text = new URLSearchParams(query).toString();
  return text === '' ? path : `${path}?${text}`;
}

suite('The router', () => {
  test('reaches every operation of the model by method, path and fixed query', () => {
    for (const { name, method, path, fixedQuery } of contract.values()) {
      const url = withQuery(fill(path, encodeURIComponent(functionArn)), fixedQuery);
      const match = router.match(method, url);
      assert.equal(match?.operation, name, url);
      const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, label]) => label);
      assert.deepEqual(Object.keys(match.labels), names);
      for (const value of Object.values(match.labels)) assert.equal(value, functionArn);
    }
  });

  test('takes a trailing slash on every route, and each older form of a path', () => {
    for (const { name, method, path, altPaths, fixedQuery } of contract.values()) {
      for (const form of [`${path}/`, ...altPaths]) {
        const url = withQuery(fill(form, 'x'), fixedQuery);
        assert.equal(router.match(method, url)?.operation, name, url);
      }
    }
  });

  test('does not take a second trailing slash for none', () => {
    assert.equal(router.match('GET', '/2015-03-31/functions/f/configuration//'), undefined);
  });

  test('prefers the route whose fixed query is present', () => {
    const provisioned = '/2019-09-30/functions/f/provisioned-concurrency';
    const layers = '/2018-10-31/layers';
    const operationOf = (url: string) => router.match('GET', url)?.operation;
    assert.equal(operationOf(`${provisioned}?List=ALL`), 'ListProvisionedConcurrencyConfigs');
    assert.equal(
      operationOf(`${provisioned}?MaxItems=1&List=ALL`),
      'ListProvisionedConcurrencyConfigs',
    );
    assert.equal(operationOf(`${provisioned}?List=SOME`), 'GetProvisionedConcurrencyConfig');
    assert.equal(operationOf(provisioned), 'GetProvisionedConcurrencyConfig');
    assert.equal(operationOf(`${layers}?find=LayerVersion&Arn=a`), 'GetLayerVersionByArn');
    assert.equal(operationOf(layers), 'ListLayers');
  });

  test('tells operations that share a path by their method', () => {
    const url = '/2019-09-25/functions/f/event-invoke-config';
    assert.equal(router.match('PUT', url)?.operation, 'PutFunctionEventInvokeConfig');
    assert.equal(router.match('POST', url)?.operation, 'UpdateFunctionEventInvokeConfig');
    assert.equal(router.match('PATCH', url), undefined);
  });

  test('splits the raw path before it decodes, once', () => {
    const execution = `${functionArn}/durable-execution/a/b`;
    const encoded = `/2025-12-01/durable-executions/${encodeURIComponent(execution)}/history`;
    assert.equal(router.match('GET', encoded)?.labels['DurableExecutionArn'], execution);
    const twice = router.match('GET', '/2015-03-31/functions/a%253Ab');
    assert.equal(twice?.labels['FunctionName'], 'a%3Ab');
  });

  test('takes colons and dollar signs encoded or not', () => {
    for (const name of ['my-fn:$LATEST', 'my-fn%3A%24LATEST', 'my-fn%3a%24LATEST']) {
      const match = router.match('GET', `/2015-03-31/functions/${name}`);
      assert.equal(match?.labels['FunctionName'], 'my-fn:$LATEST');
    }
  });

  test('keeps an empty label an empty label', () => {
    const match = router.match('GET', '/2015-03-31/functions//configuration');
    assert.equal(match?.operation, 'GetFunctionConfiguration');
    assert.deepEqual(match.labels, { FunctionName: '' });
    assert.equal(router.match('GET', '/2015-03-31/functions//')?.operation, 'GetFunction');
    assert.equal(router.match('GET', '/2015-03-31/functions/')?.operation, 'ListFunctions');
    assert.equal(router.match('DELETE', '/2015-03-31/functions/'), undefined);
  });

  test('collects repeated query keys, decodes both sides and leaves plus signs alone', () => {
    const match = router.match(
      'DELETE',
      '/2017-03-31/tags/arn?tagKeys=a%20b&tagKeys=c+d&&x&%74agKeys=e',
    );
    assert.deepEqual(match?.query.get('tagKeys'), ['a b', 'c+d', 'e']);
    assert.deepEqual(match.query.get('x'), ['']);
    assert.equal(match.query.get('__proto__'), undefined);
  });

  test('finds nothing where there is nothing', () => {
    for (const url of [
      '',
      '/',
      '//',
      '*',
      '/2015-03-31',
      '/2015-03-31/functions/f/nothing',
      '/?List=ALL',
    ]) {
      assert.equal(router.match('GET', url), undefined, url);
    }
  });

  test('leaves malformed percent signs as they were sent', () => {
    for (const name of ['%', '%zz', '%ff', 'a%2', '%e0%a4%a']) {
      assert.equal(
        router.match('GET', `/2015-03-31/functions/${name}`)?.labels['FunctionName'],
        name,
      );
      assert.deepEqual(
        router.match('GET', `/2015-03-31/functions?Marker=${name}`)?.query.get('Marker'),
        [name],
      );
    }
  });

  test('never throws, and gives back any label that was encoded', () => {
    const label = fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed());
    const routes = fc.constantFrom(...contract.values());
    fc.assert(
      fc.property(routes, label, ({ name, method, path, fixedQuery }, text) => {
        fc.pre(text !== '');
        const url = withQuery(fill(path, encodeURIComponent(text)), fixedQuery);
        const match = router.match(method, url);
        assert.equal(match?.operation, name);
        for (const value of Object.values(match.labels)) assert.equal(value, text);
      }),
    );
    const pieces = fc.constantFrom(
      '/',
      '//',
      '2015-03-31',
      'functions',
      'f',
      '%',
      '%2F',
      '?',
      '&',
      '=',
      '__proto__',
      'constructor',
      'layers',
      '2018-10-31',
    );
    fc.assert(
      fc.property(fc.array(pieces), (parts) => {
        router.match('GET', parts.join(''));
        router.match('constructor', `/${parts.join('/')}`);
      }),
    );
  });
});

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { decodeInput } from '../../host/api/decode.ts';
import { lambdaModel, type ModelConstraints } from '../../host/api/model/model.ts';
import { enumOrderByMember, uncheckedEnums } from '../../host/api/model/recorded.ts';
import { errorAnswer } from '../../host/http/errors.ts';
import { ServiceError } from '../../host/service-error.ts';
import {
  inputsOf,
  isAllowed,
  requestFor,
  shapeOf,
  type Values,
  type WireRequest,
} from '../support/model-requests.ts';
import { request } from '../support/wire-request.ts';

const operations = Object.entries(lambdaModel.operations);

/** The refusal of a request, or undefined when it is taken. Any error but a 4xx of the service fails the test. */
function refusalOf(method: string, { url, headers, body }: WireRequest): ServiceError | undefined {
  try {
    decodeInput(...request(method, url, body, headers));
    return undefined;
  } catch (error) {
    assert.ok(error instanceof ServiceError, String(error));
    assert.ok(error.status >= 400 && error.status < 500, error.message);
    const answer = errorAnswer(error);
    assert.equal(typeof JSON.parse(String(answer.body)), 'object');
    return error;
  }
}

/** A member at any depth of an input: where messages place it, and an input that has only it. */
interface Place {
  readonly path: string;
  readonly key: string;
  readonly shape: string;
  readonly holding: (value: unknown) => Values;
}

function placesOf(structure: string, prefix: string, wrap: (values: Values) => Values): Place[] {
  const shape = shapeOf(structure);
  if (shape.type !== 'structure') return [];
  return Object.entries(shape.members).flatMap(([name, { shape: target }]) => {
    const path = `${prefix}${name.charAt(0).toLowerCase()}${name.slice(1)}`;
    const holding = (value: unknown) => wrap({ [name]: value });
    const own: Place = { path, key: `${structure}.${name}`, shape: target, holding };
    const inner = shapeOf(target);
    if (inner.type === 'structure') return [own, ...placesOf(target, `${path}.`, holding)];
    if (inner.type !== 'list') return [own];
    return [own, ...placesOf(inner.member, `${path}.1.member.`, (values) => holding([values]))];
  });
}

/** Values of a scalar on both sides of each of its bounds, with whether they fit. */
function samplesOf(
  shape: ModelConstraints & { readonly type: string },
): [value: unknown, fits: boolean, words: string][] {
  const isText = shape.type === 'string';
  if (!isText && shape.type !== 'integer' && shape.type !== 'double') return [];
  const value = (size: number) => (isText ? 'a'.repeat(size) : size);
  const noun = isText ? 'length' : 'value';
  const at = (bound: number) =>
    `${noun} ${shape.max === bound ? 'less' : 'greater'} than or equal to ${bound}`;
  const samples: [unknown, boolean, string][] = [];
  if (shape.max !== undefined && shape.max < 100_000) {
    samples.push(
      [value(shape.max), true, at(shape.max)],
      [value(shape.max + 1), false, at(shape.max)],
    );
  }
  if (shape.min !== undefined && shape.min !== shape.max && (shape.min > 0 || !isText)) {
    samples.push(
      [value(shape.min), true, at(shape.min)],
      [value(shape.min - 1), false, at(shape.min)],
    );
  }
  return samples;
}

suite('Every constraint of the model', () => {
  test('bounds of texts and numbers hold on both sides, at any depth', () => {
    let samples = 0;
    for (const [name, operation] of operations) {
      const labels = Object.entries(operation.input.members).filter(
        ([, member]) => member.in === 'uri',
      );
      for (const place of placesOf(operation.input.shape, '', (values) => values)) {
        for (const [value, fits, words] of samplesOf(shapeOf(place.shape))) {
          const member =
            operation.input.members[place.path.charAt(0).toUpperCase() + place.path.slice(1)];
          if (value === '' && (member?.in === 'header' || member?.in === 'uri')) continue;
          const others = Object.fromEntries(
            labels.map(([label, { type }]) => [label, type === 'long' ? 1 : 'x']),
          );
          const wire = requestFor(operation, { ...others, ...place.holding(value) });
          const message = refusalOf(operation.method, wire)?.message ?? '';
          const failure = message
            .split('; Value ')
            .find((text) => text.includes(`'${place.path}' `) && text.includes(words));
          assert.equal(
            failure === undefined,
            fits,
            `${name} ${place.path}: ${words}: ${message.slice(0, 2000)}`,
          );
          samples += 1;
        }
      }
    }
    assert.ok(samples > 400, `only ${samples} samples`);
  });

  test('each value of an enum is taken, and none beside them', () => {
    let enums = 0;
    for (const [name, operation] of operations) {
      for (const place of placesOf(operation.input.shape, '', (values) => values)) {
        const shape = shapeOf(place.shape);
        if (shape.type !== 'string' || shape.enum === undefined) continue;
        const labels = { FunctionName: 'f', LayerName: 'l', UUID: 'u', CapacityProviderName: 'c' };
        const fails = (value: string) =>
          refusalOf(
            operation.method,
            requestFor(operation, { ...labels, ...place.holding(value) }),
          )?.message.includes(`'${value}' at '${place.path}' `) ?? false;
        for (const value of [...shape.enum, ...(enumOrderByMember[place.key] ?? [])]) {
          assert.equal(fails(value), false, `${name} ${place.path} ${value}`);
        }
        assert.equal(fails('nonesuch'), !uncheckedEnums.has(place.key), `${name} ${place.path}`);
        enums += 1;
      }
    }
    assert.ok(enums > 50, `only ${enums} enums`);
  });
});

suite('Any request', () => {
  test('of the right types is taken when the model allows it, and refused with a ValidationException otherwise', () => {
    let taken = 0;
    for (const [name, operation] of operations) {
      fc.assert(
        fc.property(inputsOf(operation), (values) => {
          const refusal = refusalOf(operation.method, requestFor(operation, values));
          const shown = JSON.stringify(values).slice(0, 2000);
          assert.equal(
            refusal === undefined,
            isAllowed(operation, values),
            `${name} ${shown} ${refusal?.message.slice(0, 500)}`,
          );
          if (refusal === undefined) taken += 1;
          else assert.equal(refusal.name, 'ValidationException', shown);
        }),
        { numRuns: 15 },
      );
    }
    assert.ok(taken > 150, `only ${taken} requests were taken`);
  });

  test('whatever its body, labels and query hold, ends in an input or a 4xx', () => {
    const members = [...new Set(operations.flatMap(([, { input }]) => Object.keys(input.members)))];
    const bodies = fc.oneof(
      fc
        .dictionary(fc.constantFrom(...members), fc.jsonValue())
        .map((value) => Buffer.from(JSON.stringify(value))),
      fc.json().map((text) => Buffer.from(text)),
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    );
    const texts = fc.webQueryParameters();
    fc.assert(
      fc.property(
        fc.constantFrom(...operations),
        bodies,
        texts,
        fc.webSegment().filter((text) => text !== ''),
        (entry, body, query, label) => {
          const [, { method, path, fixedQuery, input }] = entry;
          const keys = Object.values(input.members).filter((member) => member.in === 'query');
          const sent = keys.map(({ wire }) => `${wire}=${query}`);
          const fixed = Object.entries(fixedQuery ?? {}).map(([key, value]) => `${key}=${value}`);
          const url = `${path.replaceAll(/\{\w+\}/g, () => label)}?${[...fixed, ...sent].join('&')}`;
          refusalOf(method, { url, headers: {}, body });
        },
      ),
      { numRuns: 3000 },
    );
  });
});

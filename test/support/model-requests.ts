// Requests made from the contract file, and a judge of them that reads the file itself and shares nothing with the decoder.
import fc from 'fast-check';
import type { RequestHeaders } from '../../host/api/decode.ts';
import {
  lambdaModel,
  type ModelBoundMember,
  type ModelConstraints,
  type ModelOperation,
  type ModelShape,
} from '../../host/api/model/model.ts';
import { enumOrderByMember, uncheckedEnums } from '../../host/api/model/recorded.ts';

/** What a member holds, as JSON would: bytes of a payload too. Undefined: absent. */
export type Values = Readonly<Record<string, unknown>>;

export interface WireRequest {
  readonly url: string;
  readonly headers: RequestHeaders;
  readonly body: Uint8Array;
}

export function shapeOf(name: string): ModelShape {
  const shape = lambdaModel.shapes[name];
  if (shape === undefined) throw new Error(`no shape ${name}`);
  return shape;
}

/** Puts each member where the model binds it. */
export function requestFor(
  { path, fixedQuery, input }: ModelOperation,
  values: Values,
): WireRequest {
  const query = new Map(Object.entries(fixedQuery ?? {}).map(([key, value]) => [key, [value]]));
  const headers: Record<string, string> = {};
  const body: Record<string, unknown> = {};
  let url = path;
  let payload: Uint8Array | undefined;
  for (const [name, value] of Object.entries(values)) {
    const member = input.members[name];
    if (member === undefined || value === undefined) continue;
    const wire = member.wire ?? name;
    if (member.in === 'uri')
      url = url.replace(`{${wire}}`, () => encodeURIComponent(textOf(value)));
    else if (member.in === 'query') query.set(wire, textsOf(value));
    else if (member.in === 'header') headers[wire.toLowerCase()] = textOf(value);
    else if (member.in === 'payload') payload = payloadOf(member, value);
    else body[name] = value;
  }
  const pairs = [...query].flatMap(([key, texts]) =>
    texts.map((text) => `${key}=${encodeURIComponent(text)}`),
  );
  const fullUrl = pairs.length === 0 ? url : `${url}?${pairs.join('&')}`;
  return { url: fullUrl, headers, body: payload ?? Buffer.from(JSON.stringify(body)) };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(textOf) : [textOf(value)];
}

function payloadOf({ type }: ModelBoundMember, value: unknown): Uint8Array {
  return type === 'blob'
    ? Buffer.from(textOf(value), 'base64')
    : Buffer.from(JSON.stringify(value));
}

/** Whether the model allows these values. */
export function isAllowed({ input }: ModelOperation, values: Values): boolean {
  return structureAllowed(input.shape, values);
}

function structureAllowed(name: string, values: Values): boolean {
  const shape = shapeOf(name);
  if (shape.type !== 'structure') throw new Error(`${name} is not a structure`);
  return Object.entries(shape.members).every(([member, { shape: target, required }]) => {
    const value = values[member];
    if (value === undefined || value === null) return required !== true;
    return valueAllowed(target, value, `${name}.${member}`);
  });
}

function valueAllowed(name: string, value: unknown, key: string): boolean {
  if (value === null) return false;
  const shape = shapeOf(name);
  switch (shape.type) {
    case 'string':
      return textAllowed(shape, textOf(value), key);
    case 'integer':
    case 'long':
    case 'double':
      return within(shape, Number(value));
    case 'blob':
      return within(shape, Buffer.from(textOf(value), 'base64').length);
    case 'list': {
      const elements = value as unknown[]; // as: the generator made it by this shape
      return (
        within(shape, elements.length) &&
        elements.every((one) => valueAllowed(shape.member, one, key))
      );
    }
    case 'map': {
      const entries = Object.entries(value as Values); // as: the generator made it by this shape
      if (!within(shape, entries.length)) return false;
      return entries.every(
        ([k, v]) => valueAllowed(shape.key, k, '') && valueAllowed(shape.value, v, ''),
      );
    }
    case 'structure':
      return structureAllowed(name, value as Values); // as: the generator made it by this shape
    case 'boolean':
    case 'timestamp':
      return true;
    default:
      throw new Error(`unknown shape ${JSON.stringify(shape satisfies never)}`);
  }
}

function textAllowed(shape: ModelConstraints, text: string, key: string): boolean {
  if (!within(shape, text.length)) return false;
  if (shape.pattern !== undefined && !new RegExp(`^(?:${shape.pattern})$`, 'u').test(text))
    return false;
  if (shape.enum === undefined || uncheckedEnums.has(key)) return true;
  return shape.enum.includes(text) || (enumOrderByMember[key] ?? []).includes(text);
}

function within({ min, max }: ModelConstraints, size: number): boolean {
  return size >= (min ?? Number.NEGATIVE_INFINITY) && size <= (max ?? Number.POSITIVE_INFINITY);
}

/** Inputs of an operation: of the right types, at and around the bounds, now and then beyond them. */
export function inputsOf({ input }: ModelOperation): fc.Arbitrary<Values> {
  return fc.record(
    Object.fromEntries(
      Object.entries(input.members).map(([name, member]) => [
        name,
        member.in === 'uri' ? labelsOf(member) : boundOf(member),
      ]),
    ),
    {
      // a route has its labels, and a payload that must be there is there even when it is empty
      requiredKeys: Object.entries(input.members)
        .filter(([, member]) => member.in === 'uri' || (member.in === 'payload' && member.required))
        .map(([name]) => name),
    },
  );
}

function boundOf(member: ModelBoundMember): fc.Arbitrary<unknown> {
  // an empty header counts as absent, and elements of a query list cannot be null
  if (member.in === 'header') return valuesOf(member.shape).filter((value) => value !== '');
  if (member.in === 'query' && member.type === 'list') {
    const shape = shapeOf(member.shape);
    return fc.array(valuesOf(shape.type === 'list' ? shape.member : ''), {
      minLength: 1,
      maxLength: 12,
    });
  }
  return valuesOf(member.shape);
}

/** An empty last label is a trailing slash, which leads elsewhere. */
function labelsOf(member: ModelBoundMember): fc.Arbitrary<unknown> {
  return valuesOf(member.shape).filter((value) => value !== '');
}

function valuesOf(name: string): fc.Arbitrary<unknown> {
  const shape = shapeOf(name);
  switch (shape.type) {
    case 'string':
      return textsFor(shape);
    case 'integer':
    case 'long':
      return fc.constantFrom(...bounds(shape).map((bound) => Math.trunc(bound)), 1);
    case 'double':
      return fc.oneof(
        fc.constantFrom(...bounds(shape), 0.5),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
      );
    case 'boolean':
      return fc.boolean();
    case 'timestamp':
      return fc.integer({ min: 0, max: 4_000_000_000 });
    case 'blob':
      return fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('base64'));
    case 'list':
      return sized(shape, (size) =>
        fc.array(elementsOf(shape.member), { minLength: size, maxLength: size }),
      );
    case 'map':
      return fc
        .array(fc.tuple(textsFor(shapeOf(shape.key)), elementsOf(shape.value)), {
          maxLength: (shape.max ?? 2) + 1,
        })
        .map((entries) => Object.fromEntries(entries));
    case 'structure':
      return fc.record(
        Object.fromEntries(
          Object.entries(shape.members).map(([member, target]) => [
            member,
            fc.option(valuesOf(target.shape)),
          ]),
        ),
        { requiredKeys: [] },
      );
    default:
      throw new Error(`unknown shape ${JSON.stringify(shape satisfies never)}`);
  }
}

function elementsOf(name: string): fc.Arbitrary<unknown> {
  return fc.oneof(
    { weight: 30, arbitrary: valuesOf(name) },
    { weight: 1, arbitrary: fc.constant(null) },
  );
}

function sized(
  shape: ModelConstraints,
  of: (size: number) => fc.Arbitrary<unknown[]>,
): fc.Arbitrary<unknown> {
  const sizes = [0, 1, 2, ...bounds(shape)].filter((size) => size >= 0 && size <= 24);
  return fc.constantFrom(...sizes).chain(of);
}

function textsFor(shape: ModelConstraints): fc.Arbitrary<string> {
  const lengths = bounds(shape).filter((length) => length >= 0 && length <= 12_000);
  const plain = fc.constantFrom(
    'a',
    '1',
    '',
    '__proto__',
    'constructor',
    ...lengths.map((length) => 'a'.repeat(length)),
  );
  const odd = fc.string({ unit: 'binary', maxLength: 12 }).filter((text) => text.isWellFormed());
  const fitting = shape.enum ? fc.constantFrom(...shape.enum) : matching(shape.pattern);
  return fc.oneof(
    { weight: 8, arbitrary: fitting ?? plain },
    { weight: 1, arbitrary: plain },
    { weight: 1, arbitrary: odd },
  );
}

/** Texts of a pattern; undefined where it looks around or holds nothing, which the generator cannot follow. */
function matching(pattern: string | undefined): fc.Arbitrary<string> | undefined {
  if (pattern === undefined || /\(\?[!=<]|\\p|\(\||\(\)|^\$/.test(pattern)) return undefined;
  return fc
    .stringMatching(new RegExp(`^(?:${pattern})$`, 'u'))
    .filter((text) => text.isWellFormed());
}

function bounds({ min, max }: ModelConstraints): number[] {
  return [min, max].flatMap((bound) => (bound === undefined ? [] : [bound - 1, bound, bound + 1]));
}

// What an operation of the AWS Query protocol takes: members with their constraints, declared once, from which come the decoding,
// the validation (the grammar of api/validation.ts) and the type of the input.
import type { Bounds, Member, Shape, StructureShape } from '../api/model/shapes.ts';
import { Pattern } from '../api/model/shapes.ts';
import { type DecodedStructure, validateInput } from '../api/validation.ts';
import { QueryError } from './errors.ts';
import type { FormNode } from './form.ts';

/** One member. */
export interface Field<Value> {
  readonly shape: Shape;
  readonly required: boolean;
  /** Never present: carries the type. */
  readonly valueType?: Value;
}

export type Fields = Readonly<Record<string, Field<unknown>>>;

export type InputOf<Of extends Fields> = {
  readonly [Name in keyof Of]: Of[Name] extends Field<infer Value> ? Value : never;
};

export interface TextConstraints extends Partial<Bounds> {
  readonly pattern?: string;
}

const bare = { name: '', sensitive: false } as const;

export function text({ min, max, pattern }: TextConstraints): Field<string | undefined> {
  const compiled = pattern === undefined ? undefined : new Pattern(pattern, pattern);
  return field({ ...bare, type: 'string', min, max, pattern: compiled, allowed: undefined });
}

/** One of these. */
export function choice<const Value extends string>(
  ...values: readonly Value[]
): Field<Value | undefined> {
  const allowed = { set: new Set<string>(values), order: values };
  const free = { min: undefined, max: undefined, pattern: undefined };
  return field({ ...bare, type: 'string', ...free, allowed });
}

export function integer(min: number, max: number): Field<number | undefined> {
  return field({ ...bare, type: 'integer', min, max });
}

export function flag(): Field<boolean | undefined> {
  return field({ ...bare, type: 'boolean' });
}

export function list<Value>(
  member: Field<Value>,
  max: number,
): Field<readonly NonNullable<Value>[] | undefined> {
  const { shape } = member;
  const bounds = { min: undefined, max };
  return field({
    ...bare,
    type: 'list',
    member: shape,
    ...bounds,
    plainEnum: false,
    namesNull: false,
  });
}

export function structure<Of extends Fields>(fields: Of): Field<InputOf<Of> | undefined> {
  return field(structureOf(fields));
}

/** The same, and it must not be missing. */
export function required<Value>({ shape }: Field<Value>): Field<NonNullable<Value>> {
  return { shape, required: true };
}

function field<Value>(shape: Shape): Field<Value> {
  return { shape, required: false };
}

function structureOf(fields: Fields): StructureShape {
  const members = Object.entries(fields).map(
    ([name, { shape, required: isRequired }]): Member => ({
      name,
      label: name.charAt(0).toLowerCase() + name.slice(1),
      required: isRequired,
      shape,
    }),
  );
  return { ...bare, type: 'structure', members };
}

/** Reads and validates inputs of these fields. The result throws ValidationException and MalformedInput. */
export function decoderOf<Of extends Fields>(fields: Of): (form: FormNode) => InputOf<Of> {
  const shape = structureOf(fields);
  return (form) => {
    const input = decodeStructure(shape, form);
    validateInput(shape, input);
    return input as InputOf<Of>; // decoded and validated by the fields that the type is made of
  };
}

function decodeStructure({ members }: StructureShape, form: FormNode): DecodedStructure {
  const input: Record<string, unknown> = {};
  for (const { name, shape } of members) {
    const node = form.children.get(name);
    if (node !== undefined) input[name] = decode(shape, node, name);
  }
  return input;
}

/** A structure that stands there with nothing known in it is an empty one. */
function decode(shape: Shape, node: FormNode, name: string): unknown {
  switch (shape.type) {
    case 'structure':
      return decodeStructure(shape, node);
    case 'list':
      return decodeList(shape.member, node, name);
    case 'integer':
      return decodeInteger(node.value ?? '', name);
    case 'boolean':
      return decodeFlag(node.value ?? '', name);
    case 'string':
      return node.value;
    default:
      throw new Error(`no field of a form is a ${shape.type}`);
  }
}

/** By ascending number, whatever the numbers are. An empty list is written as an empty value. */
function decodeList(member: Shape, node: FormNode, name: string): readonly unknown[] {
  const elements = [...(node.children.get('member')?.children ?? [])];
  return elements
    .toSorted(([a], [b]) => Number(a) - Number(b))
    .map(([index, element]) => decode(member, element, `${name}.member.${index}`));
}

function decodeInteger(value: string, name: string): number {
  if (/^-?\d{1,15}$/.test(value)) return Number(value);
  throw malformed(name, value, 'an integer');
}

function decodeFlag(value: string, name: string): boolean {
  if (value === 'true' || value === 'false') return value === 'true';
  throw malformed(name, value, 'true or false');
}

function malformed(name: string, value: string, wanted: string): QueryError {
  return new QueryError('MalformedInput', 400, `${name} must be ${wanted}, got '${value}'`);
}

// The words of validation messages: constraints, and values as the service writes them (its own data types printed by Java).
import type {
  AllowedValues,
  ListShape,
  MapShape,
  NumberShape,
  Pattern,
  Shape,
} from './model/shapes.ts';

export const mustNotBeNull = 'Member must not be null';

/** What stands for a sensitive member inside a structure that is printed. */
const redacted = '***Sensitive Data Redacted***';

export function tooLong(max: number): string {
  return `Member must have length less than or equal to ${max}`;
}

export function tooShort(min: number): string {
  return `Member must have length greater than or equal to ${min}`;
}

export function tooLarge(shape: NumberShape, max: number): string {
  return `Member must have value less than or equal to ${numberText(shape, max)}`;
}

export function tooSmall(shape: NumberShape, min: number): string {
  return `Member must have value greater than or equal to ${numberText(shape, min)}`;
}

export function patternText(pattern: Pattern): string {
  return `Member must satisfy regular expression pattern: ${pattern.quoted}`;
}

export function enumText({ order }: AllowedValues): string {
  return `Member must satisfy enum value set: [${order.join(', ')}]`;
}

/** Failing elements of a list are reported on the list, with all constraints of an element. */
export function elementText({ member, plainEnum, namesNull }: ListShape): string {
  if (plainEnum && member.type === 'string' && member.allowed) return enumText(member.allowed);
  const texts = namesNull ? [...shapeTexts(member), mustNotBeNull] : shapeTexts(member);
  return `Member must satisfy constraint: [${texts.join(', ')}]`;
}

export function keysText({ key }: MapShape): string {
  return `Map keys must satisfy constraint: [${shapeTexts(key).join(', ')}]`;
}

export function valuesText({ value }: MapShape): string {
  return `Map value must satisfy constraint: [${[...shapeTexts(value), mustNotBeNull].join(', ')}]`;
}

/** All constraints of a shape in the order of recorded answers: largest, smallest, pattern or enum. */
function shapeTexts(shape: Shape): string[] {
  switch (shape.type) {
    case 'string': {
      const texts = boundTexts(shape, tooLong, tooShort);
      if (shape.pattern !== undefined) texts.push(patternText(shape.pattern));
      if (shape.allowed !== undefined) texts.push(enumText(shape.allowed));
      return texts;
    }
    case 'integer':
    case 'long':
    case 'double':
      return boundTexts(
        shape,
        (max) => tooLarge(shape, max),
        (min) => tooSmall(shape, min),
      );
    case 'list':
      return [...boundTexts(shape, tooLong, tooShort), elementText(shape)];
    case 'map':
    case 'blob':
      return boundTexts(shape, tooLong, tooShort);
    case 'boolean':
    case 'timestamp':
    case 'structure':
      return [];
    default:
      throw new Error(`unknown shape ${JSON.stringify(shape satisfies never)}`);
  }
}

function boundTexts(
  { min, max }: { readonly min: number | undefined; readonly max: number | undefined },
  above: (max: number) => string,
  below: (min: number) => string,
): string[] {
  const texts: string[] = [];
  if (max !== undefined) texts.push(above(max));
  if (min !== undefined) texts.push(below(min));
  return texts;
}

/** The value between `Value ` and `at`, with its space; nothing at all when it is sensitive. */
export function valueText(shape: Shape, value: unknown): string {
  if (isSensitive(shape)) return '';
  return value === null ? 'null ' : `'${printed(shape, value)}' `;
}

function isSensitive(shape: Shape): boolean {
  if (shape.sensitive) return true;
  if (shape.type === 'list') return isSensitive(shape.member);
  return shape.type === 'map' && (isSensitive(shape.key) || isSensitive(shape.value));
}

function printed(shape: Shape, value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (isSensitive(shape)) return redacted;
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return numberText(shape, value);
  if (value instanceof Uint8Array) return `${value.byteLength} bytes`;
  if (Array.isArray(value) && shape.type === 'list') {
    return `[${value.map((element) => printed(shape.member, element)).join(', ')}]`;
  }
  const entries = new Map(Object.entries(value));
  if (shape.type === 'map') {
    return `{${[...entries].map(([key, entry]) => `${key}=${printed(shape.value, entry)}`).join(', ')}}`;
  }
  if (shape.type !== 'structure') throw new TypeError(`not a decoded ${shape.type}`);
  const members = shape.members.map(
    ({ name, label, shape: target }) => `${label}=${printed(target, entries.get(name))}`,
  );
  return `${shape.name}(${members.join(', ')})`;
}

/** Doubles keep a fraction. */
function numberText({ type }: Shape, value: number): string {
  return type === 'double' && Number.isInteger(value) ? value.toFixed(1) : String(value);
}

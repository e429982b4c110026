// Conversion of single values as they arrive, JSON or text, to the type of their shape. Constraints are not looked at here.
import type { ListShape, MapShape, Shape, StructureShape } from './model/shapes.ts';

/** A value cannot be read as its type. The message is for the caller. */
export class SerializationFault extends Error {
  override readonly name = 'SerializationFault';
}

const typeNames = {
  string: 'a String',
  integer: 'an Integer',
  long: 'a Long',
  double: 'a Double',
  boolean: 'a Boolean',
  timestamp: 'a Timestamp',
  blob: 'a Blob',
  list: 'a List',
  map: 'a Map',
  structure: 'a Structure',
} as const satisfies Record<Shape['type'], string>;

const largestInteger = 2 ** 31 - 1;
/** Seconds; what a Date can hold. */
const largestTime = 8.64e12;
const isoTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/;
const decimal = /^[+-]?\d+(\.\d+)?$/;

/**
 * A JSON value as its shape. Null members are left out as if absent; null elements of lists and maps stay null for validation to
 * refuse. Throws {@link SerializationFault}; `path` is where the value stands, for its message.
 */
export function convertJson(shape: Shape, json: unknown, path: string): unknown {
  switch (shape.type) {
    case 'string':
      return typeof json === 'string' ? json : refuse(shape, json, path);
    case 'boolean':
      return typeof json === 'boolean' ? json : refuse(shape, json, path);
    case 'integer':
    case 'long':
    case 'double':
    case 'timestamp':
      return isNumberOf(shape, json) ? json : refuse(shape, json, path);
    case 'blob':
      return typeof json === 'string' ? decodeBase64(json, path) : refuse(shape, json, path);
    case 'list':
      return Array.isArray(json) ? convertList(shape, json, path) : refuse(shape, json, path);
    case 'map':
      return isObject(json) ? convertMap(shape, json, path) : refuse(shape, json, path);
    case 'structure':
      return isObject(json) ? convertStructure(shape, json, path) : refuse(shape, json, path);
    default:
      throw new Error(`unknown shape ${JSON.stringify(shape satisfies never)}`);
  }
}

/** A label, query value or header as its shape: scalars only. Throws {@link SerializationFault}. */
export function convertText(shape: Shape, text: string, path: string): unknown {
  switch (shape.type) {
    case 'string':
      return text;
    case 'boolean':
      if (text === 'true' || text === 'false') return text === 'true';
      return refuse(shape, text, path);
    case 'integer':
    case 'long':
    case 'double': {
      const value = decimal.test(text) ? Number(text) : undefined;
      return isNumberOf(shape, value) ? value : refuse(shape, text, path);
    }
    case 'timestamp': {
      const seconds = parseTime(text);
      return isNumberOf(shape, seconds) ? seconds : refuse(shape, text, path);
    }
    case 'blob':
    case 'list':
    case 'map':
    case 'structure':
      throw new Error(`${shape.name} cannot travel as text`);
    default:
      throw new Error(`unknown shape ${JSON.stringify(shape satisfies never)}`);
  }
}

function isNumberOf({ type }: Shape, value: unknown): boolean {
  if (typeof value !== 'number' || !Number.isFinite(value)) return false;
  if (type === 'integer') return Number.isInteger(value) && Math.abs(value) <= largestInteger;
  if (type === 'timestamp') return Math.abs(value) <= largestTime;
  return type !== 'long' || Number.isSafeInteger(value);
}

/** Seconds since 1970 from ISO 8601 with an offset, or from the seconds themselves. */
function parseTime(text: string): number | undefined {
  if (decimal.test(text)) return Number(text);
  const milliseconds = isoTime.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(milliseconds) ? undefined : milliseconds / 1000;
}

/** Strict: standard alphabet, complete padding, nothing between. Node's decoder skips what it does not know, hence the length. */
function decodeBase64(text: string, path: string): Uint8Array {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const bytes = Buffer.from(text, 'base64');
  const isStandard = text.length % 4 === 0 && !text.includes('-') && !text.includes('_');
  if (isStandard && bytes.length === (text.length / 4) * 3 - padding) return bytes;
  throw new SerializationFault(`The value${where(path)} is not valid base64`);
}

function convertList({ member }: ListShape, json: readonly unknown[], path: string): unknown[] {
  return json.map((element, index) =>
    element === null ? null : convertJson(member, element, `${path}.${index + 1}.member`),
  );
}

/** The result has no prototype: a key like `__proto__` is a key. */
function convertMap({ value }: MapShape, json: object, path: string): Record<string, unknown> {
  const map: Record<string, unknown> = Object.create(null);
  for (const [key, entry] of Object.entries(json)) {
    map[key] = entry === null ? null : convertJson(value, entry, `${path}.${key}`);
  }
  return map;
}

function convertStructure(
  { members }: StructureShape,
  json: Readonly<Record<string, unknown>>,
  path: string,
): Record<string, unknown> {
  const structure: Record<string, unknown> = {};
  for (const { name, label, shape } of members) {
    const value = Object.hasOwn(json, name) ? json[name] : undefined;
    if (value === undefined || value === null) continue;
    structure[name] = convertJson(shape, value, path === '' ? label : `${path}.${label}`);
  }
  return structure;
}

function isObject(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}

/** The wording of the service's own framework, with the place added. */
function refuse({ type }: Shape, json: unknown, path: string): never {
  if (Array.isArray(json)) {
    throw new SerializationFault(`Start of list found where not expected${where(path)}`);
  }
  if (typeof json === 'object') {
    throw new SerializationFault(
      `Start of structure or map found where not expected${where(path)}`,
    );
  }
  const found = typeof json === 'boolean' ? String(json) : typeof json;
  const kind = `${found.toUpperCase()}_VALUE`;
  throw new SerializationFault(`${kind} can not be converted to ${typeNames[type]}${where(path)}`);
}

function where(path: string): string {
  return path === '' ? '' : ` at '${path}'`;
}

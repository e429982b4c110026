// Layer 1: every constraint of the model, checked before any look-up and reported in one ValidationException. What only looks
// like layer 1, and where messages depart from the model, is tabled in model/recorded.ts; the texts are in constraint-text.ts.
import { ServiceError } from '../service-error.ts';
import {
  elementText,
  enumText,
  keysText,
  mustNotBeNull,
  patternText,
  tooLarge,
  tooLong,
  tooShort,
  tooSmall,
  valuesText,
  valueText,
} from './constraint-text.ts';
import type {
  Bounds,
  NumberShape,
  Pattern,
  Shape,
  StringShape,
  StructureShape,
} from './model/shapes.ts';

/** A decoded structure: members by name, absent ones undefined. */
export type DecodedStructure = Readonly<Record<string, unknown>>;

/**
 * No longer text is matched against its pattern: matching may take long, and exhausts the stack from a few megabytes on. Every
 * pattern but that of environment variable names comes with a maximum far below, which refuses such a text anyway.
 */
const longestMatchedText = 16_384;

/** Throws ValidationException with all failures, in the order of the model. */
export function validateInput(structure: StructureShape, input: DecodedStructure): void {
  const failures: string[] = [];
  checkMembers(structure, input, '', failures);
  if (failures.length === 0) return;
  const noun = failures.length === 1 ? 'error' : 'errors';
  const message = `${failures.length} validation ${noun} detected: ${failures.join('; ')}`;
  throw new ServiceError('ValidationException', message);
}

/** Throws as {@link validateInput}, of all members, when one of those named here breaks a constraint. */
export function validateMembers(
  structure: StructureShape,
  input: DecodedStructure,
  names: readonly string[],
): void {
  const members = structure.members.filter(({ name }) => names.includes(name));
  const failures: string[] = [];
  checkMembers({ ...structure, members }, input, '', failures);
  if (failures.length > 0) validateInput(structure, input);
}

function checkMembers(
  { members }: StructureShape,
  values: DecodedStructure,
  parent: string,
  failures: string[],
): void {
  for (const { name, label, required, shape } of members) {
    const value = values[name];
    if (value === undefined && !required) continue;
    const path = parent === '' ? label : `${parent}.${label}`;
    if (value === undefined) failures.push(failure(shape, null, path, mustNotBeNull));
    else checkValue(shape, value, path, failures);
  }
}

function checkValue(shape: Shape, value: unknown, path: string, failures: string[]): void {
  if (shape.type === 'structure') {
    checkMembers(shape, structureOf(value), path, failures);
    return;
  }
  if (shape.type === 'list' && shape.member.type === 'structure') {
    for (const [index, element] of listOf(value).entries()) {
      const elementPath = `${path}.${index + 1}.member`;
      if (element !== null) checkValue(shape.member, element, elementPath, failures);
      else failures.push(failure(shape.member, null, elementPath, mustNotBeNull));
    }
  }
  for (const constraint of failedConstraints(shape, value)) {
    failures.push(failure(shape, value, path, constraint));
  }
}

function failure(shape: Shape, value: unknown, path: string, constraint: string): string {
  return `Value ${valueText(shape, value)}at '${path}' failed to satisfy constraint: ${constraint}`;
}

/** Texts of what the value itself fails. Structures inside are not looked at: their failures have paths of their own. */
function failedConstraints(shape: Exclude<Shape, StructureShape>, value: unknown): string[] {
  switch (shape.type) {
    case 'string':
      return failedByText(shape, String(value));
    case 'integer':
    case 'long':
    case 'double':
      return failedByNumber(shape, Number(value));
    case 'blob':
      return failedByLength(shape, bytesOf(value).byteLength);
    case 'boolean':
    case 'timestamp':
      return [];
    case 'list': {
      const elements = listOf(value);
      const failed = failedByLength(shape, elements.length);
      if (shape.member.type === 'structure') return failed;
      return elements.every((element) => isValid(shape.member, element))
        ? failed
        : [elementText(shape), ...failed];
    }
    case 'map': {
      const entries = Object.entries(structureOf(value));
      const failed = failedByLength(shape, entries.length);
      if (!entries.every(([, entry]) => isValid(shape.value, entry)))
        failed.unshift(valuesText(shape));
      if (!entries.every(([key]) => isValid(shape.key, key))) failed.unshift(keysText(shape));
      return failed;
    }
    default:
      throw new Error(`unknown shape ${JSON.stringify(shape satisfies never)}`);
  }
}

function isValid(shape: Shape, value: unknown): boolean {
  if (value === null) return false;
  if (shape.type !== 'structure') return failedConstraints(shape, value).length === 0;
  const failures: string[] = [];
  checkMembers(shape, structureOf(value), '', failures);
  return failures.length === 0;
}

/** The pattern comes before the length, as in recorded answers. */
function failedByText(shape: StringShape, text: string): string[] {
  const failed = failedByLength(shape, text.length);
  if (shape.allowed !== undefined && !shape.allowed.set.has(text)) {
    failed.unshift(enumText(shape.allowed));
  }
  if (shape.pattern !== undefined && !fits(shape.pattern, text, failed.length > 0)) {
    failed.unshift(patternText(shape.pattern));
  }
  return failed;
}

function fits(pattern: Pattern, text: string, isRefused: boolean): boolean {
  return text.length > longestMatchedText ? isRefused : pattern.matches(text);
}

function failedByLength({ min, max }: Bounds, length: number): string[] {
  const failed: string[] = [];
  if (max !== undefined && length > max) failed.push(tooLong(max));
  if (min !== undefined && length < min) failed.push(tooShort(min));
  return failed;
}

function failedByNumber(shape: NumberShape, value: number): string[] {
  const failed: string[] = [];
  if (shape.max !== undefined && value > shape.max) failed.push(tooLarge(shape, shape.max));
  if (shape.min !== undefined && value < shape.min) failed.push(tooSmall(shape, shape.min));
  return failed;
}

// Decoding has given each value the type of its shape; anything else is our fault, not the caller's.

function structureOf(value: unknown): DecodedStructure {
  if (typeof value !== 'object' || value === null) throw new TypeError('not a decoded structure');
  return value as DecodedStructure; // as: an object by the line above, and every key of an object is text
}

function listOf(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new TypeError('not a decoded list');
  return value;
}

function bytesOf(value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new TypeError('not a decoded blob');
  return value;
}

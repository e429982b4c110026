// Writes `types.ts` from the contract file. Run it after every change of the model: node host/api/model/generate-types.ts
import { writeFile } from 'node:fs/promises';
import { lambdaModel, type ModelShape } from './model.ts';
import { uncheckedEnums } from './recorded.ts';

const { operations, shapes } = lambdaModel;
const lineWidth = 100;

const header = `// Generated from lambda-model.json by generate-types.ts; do not edit. Members keep their spelling on the wire.
// Blobs are decoded bytes; timestamps are seconds since 1970, fractions allowed.
`;

/** The text of `types.ts`, in the formatter's own form. */
export function generateTypes(): string {
  const declarations = Object.keys(shapes)
    .toSorted()
    .flatMap((name) => declaration(name, shapeOf(name)));
  return [header, ...declarations, operationTypes(), lookups].join('\n');
}

function shapeOf(name: string): ModelShape {
  const shape = shapes[name];
  if (shape === undefined) throw new Error(`the model has no shape ${name}`);
  return shape;
}

function declaration(name: string, shape: ModelShape): readonly string[] {
  if (shape.type === 'structure') return [structure(name, shape)];
  if (shape.enum !== undefined) return [union(name, shape.enum)];
  return [];
}

function union(name: string, values: readonly string[]): string {
  const texts = values.map((value) => `'${value}'`);
  const line = `export type ${name} = ${texts.join(' | ')};`;
  if (line.length <= lineWidth) return `${line}\n`;
  return `export type ${name} =\n${texts.map((text) => `  | ${text}`).join('\n')};\n`;
}

function structure(name: string, shape: ModelShape & { readonly type: 'structure' }): string {
  const members = Object.entries(shape.members).map(([member, { shape: target, required }]) => {
    const type = memberType(name, member, target);
    return required ? `  readonly ${member}: ${type};` : optional(member, type);
  });
  if (members.length === 0) return `export type ${name} = Readonly<Record<string, never>>;\n`;
  return `export interface ${name} {\n${members.join('\n')}\n}\n`;
}

function optional(member: string, type: string): string {
  const line = `  readonly ${member}?: ${type} | undefined;`;
  if (line.length <= lineWidth) return line;
  return `  readonly ${member}?:\n    | ${type}\n    | undefined;`;
}

function memberType(owner: string, member: string, target: string): string {
  if (uncheckedEnums.has(`${owner}.${member}`)) return 'string';
  return typeOf(target);
}

function typeOf(name: string): string {
  const shape = shapeOf(name);
  switch (shape.type) {
    case 'string':
      return shape.enum === undefined ? 'string' : name;
    case 'integer':
    case 'long':
    case 'double':
    case 'timestamp':
      return 'number';
    case 'boolean':
      return 'boolean';
    case 'blob':
      return 'Uint8Array';
    case 'structure':
      return shape.eventStream ? `AsyncIterable<${name}>` : name;
    case 'list':
      return `readonly ${typeOf(shape.member)}[]`;
    case 'map':
      return mapType(typeOf(shape.key), typeOf(shape.value));
    default:
      throw new Error(`${name} has an unknown type ${JSON.stringify(shape satisfies never)}`);
  }
}

/** Maps with an enum for their keys need not hold every key. */
function mapType(key: string, value: string): string {
  const record = `Record<${key}, ${value}>`;
  return key === 'string' ? `Readonly<${record}>` : `Readonly<Partial<${record}>>`;
}

function operationTypes(): string {
  const entries = Object.entries(operations).map(([name, { input, output }]) => {
    const members = `    readonly input: ${input.shape};\n    readonly output: ${output?.shape ?? 'void'};`;
    return `  readonly ${name}: {\n${members}\n  };`;
  });
  const comment = '/** Every operation with what it takes and answers. */';
  return `${comment}\nexport interface OperationTypes {\n${entries.join('\n')}\n}\n`;
}

const lookups = `export type OperationName = keyof OperationTypes;
export type OperationInput<Name extends OperationName> = OperationTypes[Name]['input'];
export type OperationOutput<Name extends OperationName> = OperationTypes[Name]['output'];
`;

if (import.meta.main) {
  await writeFile(new URL('types.ts', import.meta.url), generateTypes());
}

// Resolves the names of the contract file into shapes, with what recorded answers add to it.
import { lambdaModel, type ModelBinding, type ModelConstraints, type ModelShape } from './model.ts';
import {
  enumOrderByMember,
  enumOrderByShape,
  nullableElementLists,
  plainEnumLists,
  quotedPatterns,
  uncheckedEnums,
} from './recorded.ts';
import {
  type AllowedValues,
  type BoundMember,
  type BoundStructure,
  type Member,
  Pattern,
  type Shape,
  type ShapeBase,
  type StructureShape,
} from './shapes.ts';

/** Compiles each shape once; shapes that refer to each other share one object. */
export class ShapeCompiler {
  readonly #shapes = new Map<string, Shape>();

  bound({ shape, members: modelled }: ModelBinding): BoundStructure {
    const structure = this.#shape(shape);
    if (structure.type !== 'structure') throw new Error(`${shape} is not a structure`);
    const members = structure.members.map((member) => bind(member, modelled));
    return {
      ...structure,
      members,
      body: { ...structure, members: members.filter((member) => member.in === 'body') },
      outside: members.filter((member) => member.in !== 'body' && member.in !== 'payload'),
      payload: members.find((member) => member.in === 'payload'),
    };
  }

  #shape(name: string): Shape {
    const known = this.#shapes.get(name);
    if (known !== undefined) return known;
    const model = lambdaModel.shapes[name];
    if (model === undefined) throw new Error(`the model has no shape ${name}`);
    if (model.type === 'structure') return this.#structure(name, model);
    const shape = this.#scalarOrCollection(name, model);
    this.#shapes.set(name, shape);
    return shape;
  }

  /** Known before its members are compiled, so that a structure may hold itself. */
  #structure(name: string, model: ModelShape & { readonly type: 'structure' }): StructureShape {
    const members: Member[] = [];
    const structure: StructureShape = { ...base(name, model), type: 'structure', members };
    this.#shapes.set(name, structure);
    for (const [member, { shape, required }] of Object.entries(model.members)) {
      members.push({
        name: member,
        label: `${member.charAt(0).toLowerCase()}${member.slice(1)}`,
        required: required ?? false,
        shape: adjusted(`${name}.${member}`, this.#shape(shape)),
      });
    }
    return structure;
  }

  #scalarOrCollection(
    name: string,
    model: Exclude<ModelShape, { readonly type: 'structure' }>,
  ): Shape {
    const common = { ...base(name, model), min: model.min, max: model.max };
    switch (model.type) {
      case 'string':
        return { ...common, type: 'string', pattern: pattern(name, model), allowed: enumOf(name) };
      case 'list': {
        const plainEnum = plainEnumLists.has(name);
        const namesNull = !nullableElementLists.has(name);
        return { ...common, type: 'list', member: this.#shape(model.member), plainEnum, namesNull };
      }
      case 'map': {
        const key = this.#shape(model.key);
        if (key.type !== 'string') throw new Error(`${name} has keys that are not strings`);
        return { ...common, type: 'map', key, value: this.#shape(model.value) };
      }
      case 'boolean':
      case 'timestamp':
      case 'blob':
      case 'integer':
      case 'long':
      case 'double':
        return { ...common, type: model.type };
      default:
        throw new Error(`${name} has an unknown type ${JSON.stringify(model satisfies never)}`);
    }
  }
}

function bind(member: Member, modelled: ModelBinding['members']): BoundMember {
  const bound = modelled[member.name];
  if (bound === undefined) throw new Error(`the model does not bind ${member.name}`);
  const wire = bound.wire ?? member.name;
  return { ...member, in: bound.in, wire, headerKey: wire.toLowerCase() };
}

function base(name: string, model: ModelConstraints): ShapeBase {
  return { name, sensitive: model.sensitive ?? false };
}

function pattern(name: string, { pattern: source }: ModelConstraints): Pattern | undefined {
  return source === undefined ? undefined : new Pattern(source, quotedPatterns[name] ?? source);
}

function enumOf(name: string): AllowedValues | undefined {
  const values = lambdaModel.shapes[name]?.enum;
  if (values === undefined) return undefined;
  return allowedValues(values, enumOrderByShape[name] ?? values);
}

/** What a message offers is taken, too: recorded sets are newer than the model here and there. */
function allowedValues(values: Iterable<string>, order: readonly string[]): AllowedValues {
  return { set: new Set([...values, ...order]), order };
}

/** A member's shape where recorded answers treat this member unlike others of its shape. */
function adjusted(key: string, shape: Shape): Shape {
  if (uncheckedEnums.has(key) && shape.type === 'string') return { ...shape, allowed: undefined };
  const order = enumOrderByMember[key];
  return order === undefined ? shape : reordered(shape, order);
}

function reordered(shape: Shape, order: readonly string[]): Shape {
  if (shape.type === 'list') return { ...shape, member: reordered(shape.member, order) };
  if (shape.type !== 'string') throw new Error(`${shape.name} is not an enum`);
  return { ...shape, allowed: allowedValues(shape.allowed?.set ?? [], order) };
}

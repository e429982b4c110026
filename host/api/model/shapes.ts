// Compiled shapes: what decoding, validation and encoding walk. Names are resolved; nothing here changes after start.
import type { MemberLocation } from './model.ts';

/** A full-match pattern; the expression is compiled when it is first asked. */
export class Pattern {
  /** As messages quote it. */
  readonly quoted: string;
  readonly #source: string;
  #expression: RegExp | undefined;

  constructor(source: string, quoted: string) {
    this.#source = source;
    this.quoted = quoted;
  }

  matches(text: string): boolean {
    this.#expression ??= new RegExp(`^(?:${this.#source})$`, 'u');
    return this.#expression.test(text);
  }
}

export interface ShapeBase {
  readonly name: string;
  /** Values never appear in messages. */
  readonly sensitive: boolean;
}

/** Bounds of a length, a count or a number, both included. */
export interface Bounds {
  readonly min: number | undefined;
  readonly max: number | undefined;
}

/** An enum: what is taken, and the order in which messages list it. */
export interface AllowedValues {
  readonly set: ReadonlySet<string>;
  readonly order: readonly string[];
}

export interface StringShape extends ShapeBase, Bounds {
  readonly type: 'string';
  readonly pattern: Pattern | undefined;
  readonly allowed: AllowedValues | undefined;
}

export interface NumberShape extends ShapeBase, Bounds {
  readonly type: 'integer' | 'long' | 'double';
}

export interface PlainShape extends ShapeBase {
  readonly type: 'boolean' | 'timestamp';
}

/** Bounds count decoded bytes. */
export interface BlobShape extends ShapeBase, Bounds {
  readonly type: 'blob';
}

export interface ListShape extends ShapeBase, Bounds {
  readonly type: 'list';
  readonly member: Shape;
  /** A failing element is reported as the list failing its enum set. */
  readonly plainEnum: boolean;
  /** Element constraints in messages end in `Member must not be null`. */
  readonly namesNull: boolean;
}

export interface MapShape extends ShapeBase, Bounds {
  readonly type: 'map';
  readonly key: StringShape;
  readonly value: Shape;
}

export interface StructureShape extends ShapeBase {
  readonly type: 'structure';
  readonly members: readonly Member[];
}

export type Shape =
  | StringShape
  | NumberShape
  | PlainShape
  | BlobShape
  | ListShape
  | MapShape
  | StructureShape;

export interface Member {
  readonly name: string;
  /** The name as a segment of a path in messages: its first letter in lower case. */
  readonly label: string;
  readonly required: boolean;
  readonly shape: Shape;
}

/** A member of an input or output and where it travels. */
export interface BoundMember extends Member {
  readonly in: MemberLocation;
  /** Label, query key or header name. */
  readonly wire: string;
  /** `wire` in lower case, as received headers are keyed. */
  readonly headerKey: string;
}

/** An operation's whole input or output. */
export interface BoundStructure extends StructureShape {
  readonly members: readonly BoundMember[];
  /** The JSON body. It has no members when the body is a payload or is not read. */
  readonly body: StructureShape;
  /** Members outside the body: labels, query, headers, status. */
  readonly outside: readonly BoundMember[];
  /** The member that is the whole body. */
  readonly payload: BoundMember | undefined;
}

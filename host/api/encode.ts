// From an operation's output to its answer, by the output's shape: what the shape does not name never leaves the host.
import { contractOf } from './model/contract.ts';
import type { BoundMember, BoundStructure, Shape } from './model/shapes.ts';
import type { OperationName, OperationOutput } from './model/types.ts';

/** An HTTP answer, ready to be written. Headers that every answer carries are the listener's. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Undefined: no body at all. */
  readonly body: string | Uint8Array | undefined;
}

const json = { 'Content-Type': 'application/json' } as const;

/**
 * The answer for an output. Its status is the output's own status member, else the override (where the service departs from its
 * model), else the model's. Of an event stream only status and headers are made here; its body is left to whoever streams it.
 */
export function encodeOutput<Name extends OperationName>(
  name: Name,
  output: OperationOutput<Name>,
  statusOverride?: number,
): Answer {
  const { output: structure, status: modelled, eventStream } = contractOf(name);
  const fallback = statusOverride ?? modelled;
  if (structure === undefined) return { status: fallback, headers: {}, body: undefined };
  const values = new Map<string, unknown>(Object.entries(output ?? {}));
  const status = statusOf(structure, values) ?? fallback;
  const headers = headersOf(structure, values);
  if (status === 204 || eventStream) return { status, headers, body: undefined };
  return { status, headers: { ...json, ...headers }, body: bodyOf(structure, values) };
}

function statusOf({ outside }: BoundStructure, values: ReadonlyMap<string, unknown>) {
  const member = outside.find((candidate) => candidate.in === 'status');
  const status = member && values.get(member.name);
  return typeof status === 'number' ? status : undefined;
}

function headersOf(
  { outside }: BoundStructure,
  values: ReadonlyMap<string, unknown>,
): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const member of outside) {
    const value = values.get(member.name);
    if (member.in === 'header' && value !== undefined)
      headers[member.wire] = headerText(member, value);
  }
  return headers;
}

function headerText({ name }: BoundMember, value: unknown): string {
  if (typeof value !== 'string') throw new TypeError(`${name} is not text and cannot be a header`);
  return value;
}

function bodyOf(
  { payload, body }: BoundStructure,
  values: ReadonlyMap<string, unknown>,
): string | Uint8Array {
  if (payload === undefined) return JSON.stringify(encodeValue(body, Object.fromEntries(values)));
  const value = values.get(payload.name);
  if (value === undefined) return '';
  if (!(value instanceof Uint8Array)) throw new TypeError(`${payload.name} is not made of bytes`);
  return value;
}

/** Blobs become base64; structures keep the members of their shape that have a value. */
function encodeValue(shape: Shape, value: unknown): unknown {
  if (value instanceof Uint8Array) {
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
  }
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    return shape.type === 'list'
      ? value.map((element) => encodeValue(shape.member, element))
      : value;
  }
  const entries = new Map(Object.entries(value));
  if (shape.type === 'map') {
    return Object.fromEntries(
      [...entries].map(([key, entry]) => [key, encodeValue(shape.value, entry)]),
    );
  }
  if (shape.type !== 'structure') throw new TypeError(`an object cannot be a ${shape.type}`);
  return Object.fromEntries(
    shape.members
      .map((member) => [member.name, encodeValue(member.shape, entries.get(member.name))] as const)
      .filter(([, member]) => member !== undefined && member !== null),
  );
}

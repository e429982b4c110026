// From a matched request to an operation's typed input: members are gathered from where the model binds them, converted, then
// validated. A payload is passed on as it came, neither parsed nor copied.
import { isUtf8 } from 'node:buffer';
import type { RouteMatch } from '../http/router.ts';
import { ServiceError } from '../service-error.ts';
import { convertJson, convertText, SerializationFault } from './convert.ts';
import { contractOf } from './model/contract.ts';
import type { BoundMember, BoundStructure } from './model/shapes.ts';
import type { OperationInput, OperationName } from './model/types.ts';
import { type DecodedStructure, validateInput } from './validation.ts';

/** Request headers, names in lower case. */
export type RequestHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** A match that is known to be of one operation. */
export interface MatchOf<Name extends OperationName> extends RouteMatch {
  readonly operation: Name;
}

/**
 * The input that a request carries. Throws SerializationException when something cannot be read as its type, ValidationException
 * when it breaks constraints of the model. Maps have no prototype, so that a key named `constructor` finds only itself. What the
 * service looks at before any constraint of the model is `checkFirst`.
 */
export function decodeInput<Name extends OperationName>(
  match: MatchOf<Name>,
  headers: RequestHeaders,
  body: Uint8Array,
  checkFirst?: (input: DecodedStructure) => void,
): OperationInput<Name> {
  const input = parseInput(match, headers, body);
  checkFirst?.(input);
  validateInput(contractOf(match.operation).input, input);
  return input as OperationInput<Name>; // as: OperationInput is generated from the contract that was just held against it
}

/** The first half of {@link decodeInput}: types are as the model says, constraints are not yet checked. */
function parseInput(
  match: RouteMatch,
  headers: RequestHeaders,
  body: Uint8Array,
): DecodedStructure {
  const { input } = contractOf(match.operation);
  const values: Record<string, unknown> = {};
  try {
    for (const member of input.outside) {
      const value = outsideValue(member, match, headers);
      if (value !== undefined) values[member.name] = value;
    }
    readBody(input, body, values);
  } catch (error) {
    if (!(error instanceof SerializationFault)) throw error;
    throw new ServiceError('SerializationException', error.message, { cause: error });
  }
  return values;
}

function outsideValue(member: BoundMember, match: RouteMatch, headers: RequestHeaders): unknown {
  switch (member.in) {
    case 'uri':
      return convertText(member.shape, match.labels[member.wire] ?? '', member.label);
    case 'query':
      return queryValue(member, match.query.get(member.wire));
    case 'header': {
      const sent = headers[member.headerKey];
      const text = typeof sent === 'string' ? sent : sent?.[0];
      return text ? convertText(member.shape, text, member.label) : undefined;
    }
    case 'body':
    case 'payload':
    case 'status':
      throw new Error(`${member.name} does not travel outside the body of a request`);
    default:
      throw new Error(`unknown location ${String(member.in satisfies never)}`);
  }
}

/** Keys of lists repeat; of a scalar sent twice the first counts. */
function queryValue({ shape, label }: BoundMember, sent: readonly string[] | undefined): unknown {
  if (sent === undefined) return undefined;
  if (shape.type === 'list') return sent.map((text) => convertText(shape.member, text, label));
  return convertText(shape, sent[0] ?? '', label);
}

function readBody(input: BoundStructure, body: Uint8Array, values: Record<string, unknown>): void {
  const { payload } = input;
  if (payload?.shape.type === 'blob') {
    if (body.byteLength > 0 || payload.required) values[payload.name] = body;
    return;
  }
  if (body.byteLength === 0 || (payload === undefined && input.body.members.length === 0)) return;
  const json = parseJson(body);
  if (json === null) return;
  const decoded = convertJson(payload?.shape ?? input.body, json, payload?.label ?? '');
  if (payload === undefined) Object.assign(values, decoded);
  else values[payload.name] = decoded;
}

function parseJson(body: Uint8Array): unknown {
  if (!isUtf8(body)) throw new SerializationFault('The request body is not valid UTF-8');
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new SerializationFault('The request body is not valid JSON', { cause: error });
  }
}

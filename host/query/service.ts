// A service that speaks the AWS Query protocol: a form with an Action comes in, XML goes out. In the order of the others:
// authenticate, find the operation, authorize, validate, run.
import type { IncomingMessage } from 'node:http';
import type { Answer } from '../api/encode.ts';
import type { Authenticator } from '../auth/authenticator.ts';
import type { Caller } from '../auth/caller.ts';
import { type BodyLimit, ClientGone, readBody } from '../http/body.ts';
import { errorAnswer, QueryError, refusalOf } from './errors.ts';
import { decoderOf, type Fields, type InputOf } from './fields.ts';
import { type FormNode, parseForm } from './form.ts';
import { type XmlValue, xmlDocument } from './xml.ts';

/** Far more than the longest policy, percent-encoded. */
const MAX_BODY_BYTES = 1024 * 1024;

/** What an operation asks of its caller's rights; `nothing`: everybody who can sign may call it. */
export type Access = 'nothing' | 'read' | 'write';

/** Undefined: the answer has no result element at all. */
export type QueryOutput = XmlValue | undefined;

/** An operation, its input type closed over. */
export interface QueryOperation<Parts> {
  readonly name: string;
  readonly access: Access;
  /** Rejects with QueryError or what validation throws. */
  run(form: FormNode, caller: Caller, parts: Parts): Promise<QueryOutput>;
}

/** Declares an operation. */
export function queryOperation<Parts, Of extends Fields>(
  name: string,
  access: Access,
  fields: Of,
  handler: (input: InputOf<Of>, caller: Caller, parts: Parts) => Promise<QueryOutput>,
): QueryOperation<Parts> {
  const decode = decoderOf(fields);
  return {
    name,
    access,
    run: async (form, caller, parts) => await handler(decode(form), caller, parts),
  };
}

export interface QueryServiceOptions<Parts> {
  /** As a signature's scope and an action's prefix name it: `iam`. */
  readonly name: string;
  /** A date, as requests must name it. */
  readonly version: string;
  /** Of the answers' XML. */
  readonly namespace: string;
  readonly operations: readonly QueryOperation<Parts>[];
  /** Operations that exist on the service and are refused here, with what is said of them. */
  readonly refused?: Readonly<Record<string, string>>;
  /** What a refused caller is told it was about: an ARN. */
  readonly resourceOf: (form: FormNode, caller: Caller) => string;
  readonly parts: Parts;
  /** Accepts signatures for this service alone. */
  readonly authenticator: Authenticator;
  readonly onFault: (text: string, cause: unknown) => void;
}

/** Whoever answers all requests that are signed for one service. */
export interface SignedService {
  readonly name: string;
  /** Rejects with ClientGone only. */
  answer(request: IncomingMessage, requestId: string): Promise<Answer>;
}

export function createQueryService<Parts>(options: QueryServiceOptions<Parts>): SignedService {
  const operations = new Map(options.operations.map((each) => [each.name, each]));
  return {
    name: options.name,
    async answer(request, requestId) {
      try {
        return await respond(options, operations, request, requestId);
      } catch (error) {
        if (error instanceof ClientGone) throw error;
        const refusal = refusalOf(error);
        if (refusal === undefined)
          options.onFault(`a request of ${options.name} failed (request ${requestId})`, error);
        return errorAnswer(refusal, options.namespace, requestId);
      }
    },
  };
}

async function respond<Parts>(
  options: QueryServiceOptions<Parts>,
  operations: ReadonlyMap<string, QueryOperation<Parts>>,
  request: IncomingMessage,
  requestId: string,
): Promise<Answer> {
  const { method = '', url = '', rawHeaders } = request;
  const pending = options.authenticator.begin({ method, target: url, rawHeaders });
  const body = await readBody(request, bodyLimit(options.name));
  const caller = pending.finish(body);
  const form = parseForm(method === 'POST' ? body.toString() : new URL(url, 'http://host').search);
  const operation = findOperation(options, operations, form);
  authorize(options, operation, form, caller);
  const output = await operation.run(form, caller, options.parts);
  const { name } = operation;
  return {
    status: 200,
    headers: { 'Content-Type': 'text/xml' },
    body: xmlDocument(`${name}Response`, options.namespace, {
      [`${name}Result`]: output,
      ResponseMetadata: { RequestId: requestId },
    }),
  };
}

function bodyLimit(operation: string): BodyLimit {
  return { maxBytes: MAX_BODY_BYTES, operation };
}

function findOperation<Parts>(
  { version: served, refused = {} }: QueryServiceOptions<Parts>,
  operations: ReadonlyMap<string, QueryOperation<Parts>>,
  form: FormNode,
): QueryOperation<Parts> {
  const action = form.children.get('Action')?.value;
  const version = form.children.get('Version')?.value ?? served;
  if (action === undefined)
    throw new QueryError('MissingAction', 400, 'The request must contain the parameter Action');
  const operation = version === served ? operations.get(action) : undefined;
  if (operation !== undefined) return operation;
  const why = Object.hasOwn(refused, action)
    ? refused[action]
    : `Could not find operation ${action} for version ${version}`;
  throw new QueryError('InvalidAction', 400, `${why}`);
}

/** By the rights of the access key alone: no policy is asked. */
function authorize<Parts>(
  { name, resourceOf }: QueryServiceOptions<Parts>,
  operation: QueryOperation<Parts>,
  form: FormNode,
  caller: Caller,
): void {
  const { rights, principal } = caller;
  const mayRead = rights === 'admin' || rights === 'read';
  if (operation.access === 'nothing' || rights === 'admin') return;
  if (operation.access === 'read' && mayRead) return;
  const action = `${name}:${operation.name}`;
  throw new QueryError(
    'AccessDenied',
    403,
    `User: ${principal} is not authorized to perform: ${action} on resource: ${resourceOf(form, caller)} because no identity-based policy allows the ${action} action`,
  );
}

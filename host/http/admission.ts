// From a request to its operation, its caller and its body, in the service's order: authenticate, route, authorize. What the
// headers decide is decided before the body is read; memory for a package is for those who may bring one.
import type { IncomingMessage } from 'node:http';
import type { OperationName } from '../api/model/types.ts';
import type { Authenticator, PendingAuthentication } from '../auth/authenticator.ts';
import { type PolicySource, refusalOf } from '../auth/authorize.ts';
import type { Caller } from '../auth/caller.ts';
import { ServiceError } from '../service-error.ts';
import { type BodyLimit, hashBody, readBody } from './body.ts';
import type { RouteMatch, Router } from './router.ts';

/** Operations that carry a package in their body, base64 in JSON. */
const PACKAGE_BODY_BYTES = 70_167_211;
const PACKAGE_OPERATIONS: ReadonlySet<OperationName> = new Set([
  'CreateFunction',
  'UpdateFunctionCode',
  'PublishLayerVersion',
]);

/** An Invoke's payload; nothing else but packages comes near it. */
const OTHER_BODY_BYTES = 6_291_456;

export interface AdmissionParts {
  readonly authenticator: Authenticator;
  readonly router: Router;
  readonly policies: PolicySource;
}

/** A request whose caller is known. Whether the caller may do it is still to be asked: what it is about may stand in the body. */
export interface AdmittedRequest {
  readonly match: RouteMatch;
  readonly caller: Caller;
  readonly body: Buffer;
}

/**
 * Rejects with the errors of authentication, with UnknownOperationException, RequestEntityTooLargeException or, where a large
 * body would be read for nothing, AccessDeniedException; with ClientGone when the client went away.
 */
export async function admit(
  request: IncomingMessage,
  { authenticator, router, policies }: AdmissionParts,
): Promise<AdmittedRequest> {
  const { method = '', url = '', rawHeaders } = request;
  const authentication = authenticator.begin({ method, target: url, rawHeaders });
  const match = router.match(method, url);
  const refusal = earlyRefusal(request, match, authentication.claimed, policies);
  if (match === undefined || refusal !== undefined) {
    await proveSignature(request, match, authentication);
    throw refusal ?? unknownOperation();
  }
  const body = await readBody(request, limitOf(match.operation));
  return { match, caller: authentication.finish(body), body };
}

/** Small bodies are read for everyone: a refusal names the resource, and its name may stand there. */
function earlyRefusal(
  { headers }: IncomingMessage,
  match: RouteMatch | undefined,
  claimed: Caller,
  policies: PolicySource,
): ServiceError | undefined {
  if (match === undefined) return undefined;
  const isChunked = headers['transfer-encoding'] !== undefined;
  const isSmall = !isChunked && Number(headers['content-length'] ?? 0) <= OTHER_BODY_BYTES;
  return isSmall ? undefined : refusalOf(claimed, match.operation, boundNames(match), policies);
}

/** Why a request is not served is told to nobody whose signature does not hold; what else is known of the body is its hash. */
async function proveSignature(
  request: IncomingMessage,
  match: RouteMatch | undefined,
  authentication: PendingAuthentication,
): Promise<void> {
  if (authentication.proven !== undefined) return;
  authentication.finishDigest(await hashBody(request, limitOf(match?.operation)));
}

function unknownOperation(): ServiceError {
  return new ServiceError(
    'UnknownOperationException',
    'Unable to determine service/operation name to be authorized',
  );
}

function limitOf(operation: OperationName | undefined): BodyLimit {
  const isPackage = operation !== undefined && PACKAGE_OPERATIONS.has(operation);
  return {
    maxBytes: isPackage ? PACKAGE_BODY_BYTES : OTHER_BODY_BYTES,
    // Invoke's limit is named after its IAM action.
    operation: operation === 'Invoke' ? 'InvokeFunction' : (operation ?? 'unknown'),
  };
}

/** Labels and single query values: what the resource of a call is found by. */
export function boundNames({ labels, query }: RouteMatch): Readonly<Record<string, unknown>> {
  const qualifier = query.get('Qualifier')?.[0];
  return qualifier === undefined ? labels : { ...labels, Qualifier: qualifier };
}

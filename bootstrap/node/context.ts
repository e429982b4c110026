// The context object, with the key order of each generation: JSON.stringify(context) is seen by callers.
import { runtimeError } from './errors.ts';
import type { Generation } from './generation.ts';
import { ErrorConstructor, now, parseJson } from './primordials.ts';

/** What the invoke frame says about one invocation. */
export interface InvocationHead {
  readonly id: string;
  /** Epoch milliseconds. */
  readonly deadlineMs: number;
  readonly invokedFunctionArn: string | undefined;
  readonly traceId: string | undefined;
  readonly clientContext: string | undefined;
  readonly tenantId: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The environment's share of every context, read once after init. */
export interface FunctionFacts {
  readonly functionName: string | undefined;
  readonly functionVersion: string | undefined;
  readonly memoryLimitInMB: string | undefined;
  readonly logGroupName: string | undefined;
  readonly logStreamName: string | undefined;
  /** Variables that v4 refuses to go without, as far as they are missing. */
  readonly missing: readonly string[];
}

const REQUIRED_VARIABLES = [
  'AWS_LAMBDA_FUNCTION_NAME',
  'AWS_LAMBDA_FUNCTION_VERSION',
  'AWS_LAMBDA_FUNCTION_MEMORY_SIZE',
  'AWS_LAMBDA_LOG_GROUP_NAME',
  'AWS_LAMBDA_LOG_STREAM_NAME',
] as const;

const W3C_FIELDS = ['traceparent', 'tracestate', 'baggage'] as const;
const NO_W3C_FIELDS = Object.freeze({});

export function readFunctionFacts(env: Environment): FunctionFacts {
  return {
    functionName: env['AWS_LAMBDA_FUNCTION_NAME'],
    functionVersion: env['AWS_LAMBDA_FUNCTION_VERSION'],
    memoryLimitInMB: env['AWS_LAMBDA_FUNCTION_MEMORY_SIZE'],
    logGroupName: env['AWS_LAMBDA_LOG_GROUP_NAME'],
    logStreamName: env['AWS_LAMBDA_LOG_STREAM_NAME'],
    missing: REQUIRED_VARIABLES.filter((name) => !env[name]),
  };
}

/** @throws Runtime.PlatformError when the environment is incomplete or the client context is no JSON. */
export function createContextV4(head: InvocationHead, facts: FunctionFacts) {
  if (facts.missing.length > 0) {
    const names = facts.missing.join(', ');
    throw platformError(`Missing required environment variables: ${names}`);
  }
  const clientContext = parseClientContext(head.clientContext, (reason) =>
    platformError(`Failed to parse lambda-runtime-client-context as JSON: ${reason.message}`),
  );
  const w3cFields = takeW3cFields(clientContext);
  const { deadlineMs } = head;
  return {
    clientContext,
    identity: undefined,
    invokedFunctionArn: head.invokedFunctionArn,
    awsRequestId: head.id,
    tenantId: head.tenantId,
    xRayTraceId: head.traceId,
    getRemainingTimeInMillis: () => deadlineMs - now(),
    w3c: () => w3cFields,
    functionName: facts.functionName,
    functionVersion: facts.functionVersion,
    memoryLimitInMB: facts.memoryLimitInMB,
    logGroupName: facts.logGroupName,
    logStreamName: facts.logStreamName,
  };
}

/**
 * Fills `base`, which already holds the callback members, as they come first.
 * @throws Error when the client context is no JSON.
 */
export function extendContextV3<Base extends object>(
  base: Base,
  head: InvocationHead,
  facts: FunctionFacts,
) {
  const { deadlineMs } = head;
  return Object.assign(base, {
    functionVersion: facts.functionVersion,
    functionName: facts.functionName,
    memoryLimitInMB: facts.memoryLimitInMB,
    logGroupName: facts.logGroupName,
    logStreamName: facts.logStreamName,
    clientContext: parseClientContext(
      head.clientContext,
      (reason) => new ErrorConstructor(`Cannot parse ClientContext as json: ${reason}`),
    ),
    identity: undefined,
    invokedFunctionArn: head.invokedFunctionArn,
    awsRequestId: head.id,
    tenantId: head.tenantId,
    getRemainingTimeInMillis: () => deadlineMs - now(),
  });
}

function platformError(message: string): Error {
  const generation: Generation = 'v4';
  return runtimeError(generation, 'Runtime.PlatformError', message);
}

function parseClientContext(text: string | undefined, failure: (reason: Error) => Error): unknown {
  if (text === undefined) return undefined;
  try {
    return parseJson(text) as unknown;
  } catch (error) {
    throw failure(error as Error); // JSON.parse throws nothing else
  }
}

/** Moves the W3C trace fields out of the client context; only strings of the known names are kept. */
function takeW3cFields(clientContext: unknown): Readonly<Record<string, string>> {
  if (typeof clientContext !== 'object' || clientContext === null || !('w3c' in clientContext)) {
    return NO_W3C_FIELDS;
  }
  const source: unknown = clientContext.w3c;
  delete clientContext.w3c;
  const fields: Record<string, string> = {};
  if (typeof source === 'object' && source !== null) {
    for (const name of W3C_FIELDS) {
      const value = (source as Record<string, unknown>)[name]; // any object may be asked for a name
      if (typeof value === 'string') fields[name] = value;
    }
  }
  return Object.freeze(fields);
}

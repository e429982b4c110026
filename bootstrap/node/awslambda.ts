// globalThis.awslambda: the helpers of streaming handlers and, in v4, the store of the running invocation.
import type { Generation } from './generation.ts';
import type { CurrentInvocation } from './invocation.ts';
import { HIGH_WATER_MARK, STREAMING } from './load-handler.ts';
import { ErrorConstructor } from './primordials.ts';
import { HttpResponseStream } from './response-stream.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Sets the global unless AWS_LAMBDA_NODEJS_NO_GLOBAL_AWSLAMBDA says not to; members already there are kept. */
export function defineAwslambda(
  env: Environment,
  generation: Generation,
  invocation: Readonly<CurrentInvocation>,
): void {
  const optOut = env['AWS_LAMBDA_NODEJS_NO_GLOBAL_AWSLAMBDA'];
  if (optOut === '1' || optOut === 'true') return;
  const global = globalThis as { awslambda?: object }; // the name is ours to define
  global.awslambda = {
    ...global.awslambda,
    streamifyResponse,
    HttpResponseStream,
    ...(generation === 'v4' ? { InvokeStore: new InvokeStore(invocation) } : {}),
  };
}

function streamifyResponse(
  handler: object,
  options?: { readonly highWaterMark?: unknown },
): object {
  const highWaterMark = options?.highWaterMark;
  return Object.assign(handler, {
    [STREAMING]: 'response',
    ...(typeof highWaterMark === 'number' ? { [HIGH_WATER_MARK]: Math.trunc(highWaterMark) } : {}),
  });
}

/** Names of the fields the runtime owns, as the published store package has them. */
const ProtectedKeys = {
  REQUEST_ID: Symbol.for('_AWS_LAMBDA_REQUEST_ID'),
  X_RAY_TRACE_ID: Symbol.for('_AWS_LAMBDA_X_RAY_TRACE_ID'),
  TENANT_ID: Symbol.for('_AWS_LAMBDA_TENANT_ID'),
} as const;

type Key = string | symbol;
type Fields = Record<Key, unknown>;

/** The single-concurrency store of `@aws/lambda-invoke-store`; costs nothing until it is asked. */
class InvokeStore {
  static readonly PROTECTED_KEYS = ProtectedKeys;
  readonly #invocation: Readonly<CurrentInvocation>;
  #fields: Fields | undefined;
  #sequence = 0;

  constructor(invocation: Readonly<CurrentInvocation>) {
    this.#invocation = invocation;
  }

  /** `undefined` during init, unless something was set there. Begins anew with each invocation. */
  getContext(): Fields | undefined {
    const { sequence, requestId, traceId, tenantId } = this.#invocation;
    if (this.#sequence !== sequence) {
      this.#sequence = sequence;
      this.#fields = {
        [ProtectedKeys.REQUEST_ID]: requestId,
        [ProtectedKeys.X_RAY_TRACE_ID]: traceId,
        [ProtectedKeys.TENANT_ID]: tenantId,
      };
    }
    return this.#fields;
  }

  hasContext(): boolean {
    return this.getContext() !== undefined;
  }

  isProtectedKey(key: Key): boolean {
    return Object.values<Key>(ProtectedKeys).includes(key);
  }

  get(key: Key): unknown {
    return this.getContext()?.[key];
  }

  set(key: Key, value: unknown): void {
    if (this.isProtectedKey(key)) {
      throw new ErrorConstructor(`Cannot modify protected Lambda context field: ${String(key)}`);
    }
    this.#fields = { ...this.getContext(), [key]: value };
  }

  getRequestId(): unknown {
    return this.get(ProtectedKeys.REQUEST_ID) ?? '-';
  }

  getXRayTraceId(): unknown {
    return this.get(ProtectedKeys.X_RAY_TRACE_ID);
  }

  getTenantId(): unknown {
    return this.get(ProtectedKeys.TENANT_ID);
  }

  /** Replaces the context for the rest of the invocation, as the package's single mode does. */
  run<Result>(context: Fields, callback: () => Result): Result {
    this.getContext();
    this.#fields = context;
    return callback();
  }
}

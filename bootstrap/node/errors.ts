// Errors as the service shows them: the body of an answer, the text of a log line, and the errors the runtime itself raises.
import { types } from 'node:util';
import type { Generation } from './generation.ts';
import { ErrorConstructor, stringifyJson } from './primordials.ts';

/** The JSON body of `E` and `F`, keys in this order. */
export interface ErrorBody {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace?: readonly string[];
}

/** Errors of the runtime itself, by the names the service's runtimes give them. */
export type RuntimeErrorType =
  | 'Runtime.CallbackHandlerDeprecated'
  | 'Runtime.HandlerNotFound'
  | 'Runtime.ImportModuleError'
  | 'Runtime.InvalidStreamingOperation'
  | 'Runtime.JSONStringifyError'
  | 'Runtime.MalformedHandlerName'
  | 'Runtime.MalformedStreamingHandler'
  | 'Runtime.NodeJsExit'
  | 'Runtime.PlatformError'
  | 'Runtime.UnhandledPromiseRejection'
  | 'Runtime.UserCodeSyntaxError';

const UNREADABLE_ERROR =
  'callback called with Error argument, but there was a problem while retrieving one or more of its message, name, and stack';

/**
 * Makes an error of the runtime. In v3 the name sits on the prototype, in v4 it is an own property: visible in logs, which
 * show own properties.
 */
export function runtimeError(
  generation: Generation,
  errorType: RuntimeErrorType,
  message: string,
): Error {
  if (generation === 'v4') {
    const error = new (namedError(errorType))(message);
    error.name = errorType;
    return error;
  }
  const Named = namedError(errorType);
  Object.defineProperty(Named.prototype, 'name', { value: errorType, configurable: true });
  return new Named(message);
}

/** A subclass of Error called as JSON logs show it: `ImportModuleError` of `Runtime.ImportModuleError`. */
function namedError(errorType: RuntimeErrorType): ErrorConstructor {
  const className = errorType.slice('Runtime.'.length);
  const Named = { [className]: class extends ErrorConstructor {} }[className];
  return Named as ErrorConstructor; // the class just put there
}

/** What a failed invocation or init answers with. Never throws, whatever was thrown at us. */
export function errorBody(error: unknown, generation: Generation): ErrorBody {
  try {
    return generation === 'v4' ? bodyV4(error) : bodyV3(error);
  } catch {
    const unreadable = { errorType: 'handled', errorMessage: UNREADABLE_ERROR };
    return generation === 'v4' ? { ...unreadable, trace: [] } : unreadable;
  }
}

function bodyV4(error: unknown): ErrorBody {
  if (error instanceof ErrorConstructor) {
    const { name, message, stack } = error;
    return {
      errorType: escapeDelete(name),
      errorMessage: escapeDelete(message),
      trace: stack === undefined ? [] : escapeDelete(stack).split('\n'),
    };
  }
  return { errorType: typeof error, errorMessage: String(error), trace: [] };
}

function bodyV3(error: unknown): ErrorBody {
  if (types.isNativeError(error) || isErrorLike(error)) {
    return {
      errorType: escapeDelete(error.name),
      errorMessage: escapeDelete(error.message),
      trace: escapeDelete(error.stack as string).split('\n'), // throws when it is none, as the service's client does
    };
  }
  // A method call on purpose: null and objects without toString() are reported as unreadable.
  const errorMessage = (error as { toString(): string }).toString();
  return { errorType: typeof error, errorMessage, trace: [] };
}

/** Duck typing of v3: errors of another realm or library. */
function isErrorLike(value: unknown): value is Error {
  if (typeof value !== 'object' || value === null) return false;
  const { name, message, stack } = value as Partial<Error>; // unknown members, checked below
  return [name, message, stack].every((text) => typeof text === 'string' && text !== '');
}

/** DEL may not stand in the header that carries the type on the service, so it is escaped everywhere. */
function escapeDelete(text: string): string {
  return text.replaceAll('\x7F', '%7F');
}

/** The body as JSON, with the type that goes before it in the frame. */
export function serialiseError(
  error: unknown,
  generation: Generation,
): { readonly errorType: string; readonly json: string } {
  const body = errorBody(error, generation);
  return { errorType: String(body.errorType), json: stringifyJson(body) };
}

/** What logs show for a thrown value that is no Error. */
export function intoError(error: unknown): Error {
  if (error instanceof ErrorConstructor) return error;
  return new ErrorConstructor(String(error));
}

/** The JSON of an error in a text log line: `stack` instead of `trace`, `code`, and all own properties; nested ones too. */
export function errorLogJson(error: Error, generation: Generation): string {
  try {
    return stringifyJson(error, (_key, value) => withOwnProperties(value));
  } catch {
    return stringifyJson(errorBody(error, generation));
  }
}

function withOwnProperties(value: unknown): unknown {
  if (!(value instanceof ErrorConstructor)) return value;
  const shown: Record<string, unknown> = {
    errorType: value.name,
    errorMessage: value.message,
    code: (value as NodeJS.ErrnoException).code, // most have none
  };
  Object.assign(shown, value);
  if (typeof value.stack === 'string') shown['stack'] = value.stack.split('\n');
  return shown;
}

/** JSON logs write errors so, at any depth; `errorType` here is the class, not the name. */
export function errorLogReplacer(_key: string, value: unknown): unknown {
  if (!(value instanceof ErrorConstructor)) return value;
  const { stack } = value;
  return Object.assign(
    {
      errorType: className(value),
      errorMessage: value.message,
      stackTrace: typeof stack === 'string' ? stack.split('\n') : stack,
    },
    value,
  );
}

/** The class of an error; `UnknownError` for one without a constructor. */
export function className(error: Error): string {
  return (error.constructor as { name?: string } | undefined)?.name ?? 'UnknownError'; // may be an Object.create(null) chain
}

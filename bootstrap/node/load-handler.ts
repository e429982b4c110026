// From the handler string to the function: which file, how it is loaded, which export.
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { runtimeError } from './errors.ts';
import type { Generation } from './generation.ts';
import {
  ErrorConstructor,
  existsSync,
  parseJson,
  readFileSync,
  SyntaxErrorConstructor,
  statSync,
} from './primordials.ts';

/** The function's own; called with what its generation calls for. */
export type Handler = (...parameters: unknown[]) => unknown;

export interface LoadedHandler {
  readonly handler: Handler;
  readonly isStreaming: boolean;
  /** Bytes; set by streamifyResponse's option. */
  readonly highWaterMark: number | undefined;
}

export interface LoadOptions {
  readonly generation: Generation;
  /** LAMBDA_TASK_ROOT. */
  readonly taskRoot: string;
  /** `_HANDLER`. */
  readonly handlerString: string;
  /** Told of a package.json that cannot be read. */
  readonly warn: (message: string) => void;
}

/** Marks a handler as streaming; shared with every copy of the runtime's helpers, hence the registry. */
export const STREAMING = Symbol.for('aws.lambda.runtime.handler.streaming');
export const HIGH_WATER_MARK = Symbol.for('aws.lambda.runtime.handler.streaming.highWaterMark');

const CALLBACKS_REMOVED =
  'ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. You need to modify this function to use a supported handler signature to use Node.js 24 or later. For more information see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.';

const require = createRequire(import.meta.url);

/** @throws RuntimeErrorType errors about the handler's name, file or export, or whatever the function's own top-level code throws. */
export async function loadHandler(options: LoadOptions): Promise<LoadedHandler> {
  const { generation, handlerString } = options;
  const place = parseHandlerString(handlerString, generation);
  const loaded = await loadModule(place, options);
  const handler = findHandler(loaded, place.exportPath, handlerString, generation);
  const isStreaming = readStreaming(handler, generation);
  if (generation === 'v4' && handler.length >= 3 && !isStreaming) {
    throw runtimeError(generation, 'Runtime.CallbackHandlerDeprecated', CALLBACKS_REMOVED);
  }
  return { handler, isStreaming, highWaterMark: readHighWaterMark(handler) };
}

interface HandlerPlace {
  readonly moduleRoot: string;
  readonly moduleName: string;
  readonly exportPath: string;
}

function parseHandlerString(handlerString: string, generation: Generation): HandlerPlace {
  if (handlerString.includes('..')) {
    const message = `'${handlerString}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`;
    throw runtimeError(generation, 'Runtime.MalformedHandlerName', message);
  }
  const baseName = path.basename(handlerString);
  const dot = baseName.indexOf('.');
  if (dot === -1) throw runtimeError(generation, 'Runtime.MalformedHandlerName', 'Bad handler');
  return {
    moduleRoot: handlerString.slice(0, handlerString.indexOf(baseName)),
    moduleName: baseName.slice(0, dot),
    exportPath: baseName.slice(dot + 1),
  };
}

async function loadModule(place: HandlerPlace, options: LoadOptions): Promise<unknown> {
  try {
    return options.generation === 'v4'
      ? await loadV4(place, options)
      : await loadV3(place, options);
  } catch (error) {
    throw translateLoadError(error, options.generation);
  }
}

/** v4: every file is imported; `import` itself tells CommonJS from ES modules. */
async function loadV4({ moduleRoot, moduleName }: HandlerPlace, { taskRoot }: LoadOptions) {
  const base = path.resolve(taskRoot, moduleRoot, moduleName);
  for (const extension of ['', '.js', '.mjs', '.cjs']) {
    const file = base + extension;
    if (statSync(file, { throwIfNoEntry: false })?.isFile()) return importFile(file);
  }
  const paths = [taskRoot, path.join(taskRoot, moduleRoot)];
  return requireFile(require.resolve(moduleName, { paths }));
}

/** v3: `require` unless the file is an ES module by name or by its package.json. */
async function loadV3({ moduleRoot, moduleName }: HandlerPlace, { taskRoot, warn }: LoadOptions) {
  const base = path.resolve(taskRoot, moduleRoot, moduleName);
  if (existsSync(base)) return requireFile(base);
  const isModule = isInModulePackage(path.dirname(base), warn);
  if (existsSync(`${base}.js`))
    return isModule ? importFile(`${base}.js`) : requireFile(`${base}.js`);
  if (existsSync(`${base}.mjs`)) return importFile(`${base}.mjs`);
  if (existsSync(`${base}.cjs`)) return requireFile(`${base}.cjs`);
  return requireFile(require.resolve(moduleName, { paths: [taskRoot, moduleRoot] }));
}

function importFile(file: string): Promise<unknown> {
  return import(pathToFileURL(file).href) as Promise<unknown>;
}

function requireFile(file: string): unknown {
  return require(file) as unknown;
}

/** The nearest package.json decides; the walk ends at a node_modules folder and at the root. */
function isInModulePackage(folder: string, warn: (message: string) => void): boolean {
  if (folder.endsWith('/node_modules')) return false;
  const file = path.join(folder, 'package.json');
  if (existsSync(file)) {
    try {
      return (
        (parseJson(readFileSync(file, 'utf8')) as { type?: unknown } | null)?.type === 'module'
      );
    } catch (error) {
      warn(
        `${file} cannot be read, it will be ignored for ES module detection purposes. ${String(error)}`,
      );
      return false;
    }
  }
  return folder === path.dirname(folder) ? false : isInModulePackage(path.dirname(folder), warn);
}

function translateLoadError(error: unknown, generation: Generation): unknown {
  if (error instanceof SyntaxErrorConstructor) {
    const translated = runtimeError(generation, 'Runtime.UserCodeSyntaxError', String(error));
    if (generation === 'v4' && error.stack !== undefined) translated.stack = error.stack;
    return translated;
  }
  if (error instanceof ErrorConstructor && 'code' in error && error.code === 'MODULE_NOT_FOUND') {
    return runtimeError(generation, 'Runtime.ImportModuleError', String(error));
  }
  return error;
}

function findHandler(
  loaded: unknown,
  exportPath: string,
  handlerString: string,
  generation: Generation,
): Handler {
  const keys = exportPath.split('.');
  const found = generation === 'v4' ? findV4(loaded, keys) : findNested(loaded, keys);
  if (!found) {
    throw runtimeError(
      generation,
      'Runtime.HandlerNotFound',
      `${handlerString} is undefined or not exported`,
    );
  }
  if (typeof found !== 'function') {
    throw runtimeError(generation, 'Runtime.HandlerNotFound', `${handlerString} is not a function`);
  }
  return found as Handler; // any function may be tried
}

/** v4 also looks under the default export: what `import` makes of `module.exports`. */
function findV4(loaded: unknown, keys: readonly string[]): unknown {
  const found = findNested(loaded, keys);
  return found || findNested((loaded as { default?: unknown } | undefined)?.default, keys); // a namespace or exports value
}

function findNested(root: unknown, keys: readonly string[]): unknown {
  return keys.reduce<unknown>(
    (value, key) => value && (value as Record<string, unknown>)[key], // truthy values all have properties
    root,
  );
}

function readStreaming(handler: Handler, generation: Generation): boolean {
  const mark = (handler as unknown as Record<symbol, unknown>)[STREAMING]; // a symbol property of a function
  if (!mark) return false;
  if (mark === 'response') return true;
  throw runtimeError(
    generation,
    'Runtime.MalformedStreamingHandler',
    'Only response streaming is supported.',
  );
}

function readHighWaterMark(handler: Handler): number | undefined {
  const mark = Number((handler as unknown as Record<symbol, unknown>)[HIGH_WATER_MARK]); // as above
  return Number.isNaN(mark) || mark === 0 ? undefined : mark;
}

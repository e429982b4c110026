// `import` from the folders of NODE_PATH, where layers have their packages. Node itself looks there for `require` alone; on the service
// both do.
import Module, { type ResolveHookContext } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { ErrorConstructor } from './primordials.ts';

/** Neither a path nor a URL nor a package's own `#import`. */
const PACKAGE = /^(?:@[^/]+\/)?[^./#@][^:]*$/;

/**
 * For the life of the process. A package that `import` finds in no other way is looked for in each folder named node_modules, in their
 * order. The others of NODE_PATH hold files, which have no part in how `import` looks for packages.
 */
export function importFromNodePath(nodePath: string): void {
  const folders = nodePath
    .split(path.delimiter)
    .filter((folder) => path.basename(folder) === 'node_modules');
  // As if the importing module lay beside the folder: then it is the first in which Node looks.
  const parents = folders.map((folder) => pathToFileURL(`${path.dirname(folder)}/module.mjs`).href);
  const older: Pick<typeof Module, 'register'> & { readonly registerHooks?: unknown } = Module;
  if (older.registerHooks === undefined) {
    older.register(HOOKS_BEFORE, { data: parents });
    return;
  }
  Module.registerHooks({
    resolve(specifier, context, nextResolve) {
      try {
        return nextResolve(specifier, context);
      } catch (error) {
        if (!isPackage(specifier) || !isNotFound(error)) throw error;
        return resolveFrom(parents) ?? rethrow(error);
      }

      function resolveFrom(urls: readonly string[]) {
        for (const parentURL of urls) {
          const found = tryResolve({ ...context, parentURL });
          if (found !== undefined) return found;
        }
        return undefined;
      }

      function tryResolve(from: ResolveHookContext) {
        try {
          return nextResolve(specifier, from);
        } catch (error) {
          if (isNotFound(error)) return undefined;
          throw error;
        }
      }
    },
  });
}

/** The same for a Node before 22.15, which runs hooks in a thread of their own and takes them as a module. */
const HOOKS_BEFORE = `data:text/javascript,${encodeURIComponent(`
  let parents = [];
  export const initialize = (data) => { parents = data; };
  const isPackage = (specifier) => ${String(PACKAGE)}.test(specifier);
  export const resolve = async (specifier, context, nextResolve) => {
    try {
      return await nextResolve(specifier, context);
    } catch (error) {
      if (!isPackage(specifier) || error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
      for (const parentURL of parents)
        try {
          return await nextResolve(specifier, { ...context, parentURL });
        } catch (other) {
          if (other.code !== 'ERR_MODULE_NOT_FOUND') throw other;
        }
      throw error;
    }
  };
`)}`;

function isPackage(specifier: string): boolean {
  return PACKAGE.test(specifier);
}

/** What `import` says of a missing module; `require` says MODULE_NOT_FOUND, and has looked everywhere by then. */
function isNotFound(error: unknown): boolean {
  return (
    error instanceof ErrorConstructor && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND'
  );
}

function rethrow(error: unknown): never {
  throw error;
}

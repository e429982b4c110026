// Requests for functions that tests deploy.
import type { CreateFunctionCommandInput } from '@aws-sdk/client-lambda';
import { zipOf } from './bundle-fixtures.ts';
import { ROLE } from './test-host.ts';

export const ARN = 'arn:aws:lambda:us-east-1:000000000000:function';

/** `index.mjs` whose handler returns this expression; it may use `event`. */
export function returning(expression: string): Readonly<Record<string, string>> {
  return { 'index.mjs': `export const handler = async (event) => (${expression});` };
}

/** A request for a small Node function; members given replace, those given as undefined are left out. */
export async function createRequest(
  name: string,
  more: Partial<CreateFunctionCommandInput> = {},
): Promise<CreateFunctionCommandInput> {
  return {
    FunctionName: name,
    Runtime: 'nodejs24.x',
    Handler: 'index.handler',
    Role: ROLE,
    Code: { ZipFile: await zipOf(returning('event')) },
    ...more,
  };
}

/** A handler that answers what the expression in its event is; the expression may use `require` and `await load(module)`. */
export const evaluating: Readonly<Record<string, string>> = {
  'index.mjs': `
    import { createRequire } from 'node:module';
    const require = createRequire(import.meta.url);
    const AsyncFunction = (async () => {}).constructor;
    export const handler = async (event) => {
      const load = (name) => import(name);
      return await new AsyncFunction('require', 'load', \`return (\${event});\`)(require, load);
    };`,
};

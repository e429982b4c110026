// What becomes of a function that invokes itself in a loop.
import { functionNotFound, resolveUnqualified } from '../functions/names.ts';
import { requireFunction } from './function-view.ts';
import { operation } from './operation.ts';

export const PutFunctionRecursionConfig = operation(
  'PutFunctionRecursionConfig',
  async (input, context) => {
    const name = resolveUnqualified(context, input.FunctionName);
    const { RecursiveLoop: recursiveLoop } = input;
    await context.functions.change(context.account, context.region, name, (current) => {
      if (current === undefined) throw functionNotFound(context, name);
      return { change: { root: { ...current.root, recursiveLoop } }, result: undefined };
    });
    return { RecursiveLoop: recursiveLoop };
  },
);

export const GetFunctionRecursionConfig = operation(
  'GetFunctionRecursionConfig',
  async (input, context) => {
    const { root } = requireFunction(context, resolveUnqualified(context, input.FunctionName));
    return { RecursiveLoop: root.recursiveLoop ?? 'Terminate' };
  },
);

// Reserved concurrency of functions.
import { reserve, withoutReserve } from '../concurrency/reserved.ts';
import { functionNotFound, resolveWholeFunction } from '../functions/names.ts';
import { requireFunction } from './function-view.ts';
import { operation } from './operation.ts';

export const PutFunctionConcurrency = operation(
  'PutFunctionConcurrency',
  async (input, context) => {
    const { account, region, allotments } = context;
    const name = resolveWholeFunction(context, input.FunctionName);
    const { ReservedConcurrentExecutions: reserved } = input;
    await allotments.change(account, region, name, (current, room) => {
      if (current === undefined) throw functionNotFound(context, name, '$LATEST');
      return { change: reserve(current, reserved, room), result: undefined };
    });
    return { ReservedConcurrentExecutions: reserved };
  },
);

export const GetFunctionConcurrency = operation(
  'GetFunctionConcurrency',
  async (input, context) => {
    const { root } = requireFunction(context, resolveWholeFunction(context, input.FunctionName));
    return { ReservedConcurrentExecutions: root.reservedConcurrency };
  },
);

export const DeleteFunctionConcurrency = operation(
  'DeleteFunctionConcurrency',
  async (input, context) => {
    const { account, region, allotments } = context;
    const name = resolveWholeFunction(context, input.FunctionName);
    await allotments.change(account, region, name, (current) => {
      if (current === undefined) throw functionNotFound(context, name);
      return { change: withoutReserve(current), result: undefined };
    });
  },
);

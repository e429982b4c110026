// Scaling configs of versions that run on a capacity provider. No function can have one here: CreateFunction refuses
// CapacityProviderConfig, so each function is told to have none.
import { resolveUnqualified } from '../functions/names.ts';
import { ServiceError } from '../service-error.ts';
import type { OperationContext } from './context.ts';
import { lookUp } from './function-view.ts';
import type { FunctionScalingConfig } from './model/types.ts';
import { operation } from './operation.ts';

export const PutFunctionScalingConfig = operation(
  'PutFunctionScalingConfig',
  async (input, context) => {
    checkOrder(input.FunctionScalingConfig);
    return refuse(context, input.FunctionName, input.Qualifier);
  },
);

export const GetFunctionScalingConfig = operation(
  'GetFunctionScalingConfig',
  async (input, context) => refuse(context, input.FunctionName, input.Qualifier),
);

function refuse(context: OperationContext, functionName: string, qualifier: string): never {
  const name = resolveUnqualified(context, functionName);
  // Only functions with a capacity provider have a version of that name.
  lookUp(context, name, qualifier === '$LATEST.PUBLISHED' ? undefined : qualifier);
  throw new ServiceError(
    'AccessDeniedException',
    'The function provided by the arn does not contain a capacity provider configuration',
  );
}

function checkOrder(config: FunctionScalingConfig | undefined): void {
  const { MinExecutionEnvironments: min, MaxExecutionEnvironments: max } = config ?? {};
  if (min !== undefined && max !== undefined && min > max)
    throw new ServiceError(
      'InvalidParameterValueException',
      'MinExecutionEnvironments must be less than or equal to MaxExecutionEnvironments.',
    );
}

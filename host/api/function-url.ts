// Function URLs: an HTTP address for a function or for one of its aliases. Requests to them are not served here.
import { newUrlId } from '../function-urls/function-urls.ts';
import { type FunctionUrlRecord, urlTimeText } from '../function-urls/record.ts';
import { functionUrl } from '../function-urls/url.ts';
import type { HeldFunction } from '../functions/functions.ts';
import { type FunctionReference, functionArn, resolveReference } from '../functions/names.ts';
import {
  findTarget,
  qualifiedPart,
  qualifiedParts,
  withQualifiedPart,
} from '../functions/target.ts';
import { noSuchResource, ServiceError } from '../service-error.ts';
import type { OperationContext } from './context.ts';
import type { Cors, FunctionUrlConfig } from './model/types.ts';
import { operation } from './operation.ts';
import { page } from './pagination.ts';

const KIND = 'function-url';
const PAGE_CAP = 50;

interface Named {
  readonly FunctionName: string;
  readonly Qualifier?: string | undefined;
}

export const CreateFunctionUrlConfig = operation(
  'CreateFunctionUrlConfig',
  async (input, context) => {
    const { LastModifiedTime: _, ...config } = await change(
      input,
      context,
      (current, arn, held) => {
        if (current !== undefined) throw alreadyExists(arn);
        requireNoTenants(held);
        const stamp = context.stamp();
        const created = urlTimeText(stamp.epochMs);
        return {
          id: newUrlId(context.functionUrls, () => stamp.newId()),
          authType: input.AuthType,
          cors: presentCors(input.Cors),
          invokeMode: input.InvokeMode ?? 'BUFFERED',
          created,
          lastModified: created,
        };
      },
    );
    return config;
  },
);

export const UpdateFunctionUrlConfig = operation(
  'UpdateFunctionUrlConfig',
  async (input, context) =>
    await change(input, context, (current) => {
      if (current === undefined) throw noSuchResource();
      return {
        ...current,
        authType: input.AuthType ?? current.authType,
        cors: input.Cors === undefined ? current.cors : presentCors(input.Cors),
        invokeMode: input.InvokeMode ?? current.invokeMode,
        lastModified: urlTimeText(context.stamp().epochMs),
      };
    }),
);

export const GetFunctionUrlConfig = operation('GetFunctionUrlConfig', async (input, context) => {
  const reference = resolve(input, context);
  const held = context.functions.held(context.account, context.region, reference.name);
  const record = held && qualifiedPart(held, KIND, reference.qualifier);
  if (record === undefined) throw noSuchResource();
  return shown(context, reference, record);
});

export const DeleteFunctionUrlConfig = operation(
  'DeleteFunctionUrlConfig',
  async (input, context) => {
    const { name, qualifier } = resolve(input, context);
    await context.functions.change(context.account, context.region, name, (current) => {
      if (current === undefined || qualifiedPart(current, KIND, qualifier) === undefined)
        throw noSuchResource();
      const removal = withQualifiedPart(current, KIND, qualifier, undefined);
      return { change: removal, result: undefined };
    });
  },
);

export const ListFunctionUrlConfigs = operation(
  'ListFunctionUrlConfigs',
  async (input, context) => {
    const reference = resolve(input, context);
    const { name } = reference;
    const held = context.functions.held(context.account, context.region, name);
    const configs = qualifiedParts(requireTarget(held, reference), KIND);
    const { Marker: marker, MaxItems: maxItems } = input;
    const { items, nextMarker } = page(configs, ([part]) => part, marker, maxItems, PAGE_CAP);
    return {
      FunctionUrlConfigs: items.map(([part, record]) =>
        shown(context, { name, qualifier: part === '$LATEST' ? undefined : part }, record),
      ),
      NextMarker: nextMarker,
    };
  },
);

/** Checks that the function or alias is there, then replaces its config by what `decide` says. */
async function change(
  input: Named,
  context: OperationContext,
  decide: (
    current: FunctionUrlRecord | undefined,
    arn: string,
    held: HeldFunction,
  ) => FunctionUrlRecord,
): Promise<FunctionUrlConfig> {
  const reference = resolve(input, context);
  const { name, qualifier } = reference;
  const { functions, account, region } = context;
  const record = await functions.change(account, region, name, (current) => {
    const held = requireTarget(current, reference);
    const arn = functionArn(context, name, qualifier);
    const value = decide(qualifiedPart(held, KIND, qualifier), arn, held);
    return { change: withQualifiedPart(held, KIND, qualifier, value), result: value };
  });
  return shown(context, reference, record);
}

function resolve(input: Named, context: OperationContext): FunctionReference {
  return resolveReference(context, input.FunctionName, input.Qualifier);
}

/** The function, when it has the alias that the qualifier names. */
function requireTarget(
  held: HeldFunction | undefined,
  { qualifier }: FunctionReference,
): HeldFunction {
  if (held === undefined || findTarget(held, qualifier) === undefined)
    throw new ServiceError('ResourceNotFoundException', 'Function does not exist');
  return held;
}

function shown(
  context: OperationContext,
  { name, qualifier }: FunctionReference,
  record: FunctionUrlRecord,
): FunctionUrlConfig {
  return {
    FunctionUrl: functionUrl(context.origin, context.region, record.id),
    FunctionArn: functionArn(context, name, qualifier),
    AuthType: record.authType,
    Cors: record.cors,
    CreationTime: record.created,
    LastModifiedTime: record.lastModified,
    InvokeMode: record.invokeMode,
  };
}

/** A config without members means none. */
function presentCors(cors: Cors | undefined): Cors | undefined {
  const isEmpty = Object.values(cors ?? {}).every((member) => member === undefined);
  return isEmpty ? undefined : cors;
}

/** A request to a URL says nothing of a tenant. */
function requireNoTenants({ root }: HeldFunction): void {
  if (root.latest.settings.tenantIsolation === undefined) return;
  throw new ServiceError(
    'InvalidParameterValueException',
    'Function URLs are not supported for functions that are enabled with tenancy configuration.',
  );
}

function alreadyExists(arn: string): ServiceError {
  return new ServiceError(
    'ResourceConflictException',
    `Failed to create function url config for [functionArn = ${arn}]. Error message:  FunctionUrlConfig exists for this Lambda function`,
  );
}

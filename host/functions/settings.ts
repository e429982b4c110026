// What create and update requests make of a function's settings: defaults, "absent keeps, present replaces", and the checks
// that are not plain constraints of the model.
import model from '../api/model/lambda-model.json' with { type: 'json' };
import type {
  CreateFunctionRequest,
  LoggingConfig,
  UpdateFunctionConfigurationRequest,
  VpcConfig,
} from '../api/model/types.ts';
import { attachedLayers, checkCombinedSize, type LayerScope } from '../layers/attach.ts';
import { ServiceError } from '../service-error.ts';
import { checkTags } from '../tags/tags.ts';
import { deadLetter } from './dead-letter.ts';
import type { CodeReference, FunctionSettings, LoggingSettings, VpcSettings } from './record.ts';
import { checkSnapStart } from './snap-start.ts';

const MAX_TIMEOUT_SECONDS = 900;
const MAX_ENVIRONMENT_BYTES = 4096;

const RESERVED_VARIABLES: ReadonlySet<string> = new Set([
  '_HANDLER',
  '_X_AMZN_TRACE_ID',
  'AWS_DEFAULT_REGION',
  'AWS_REGION',
  'AWS_EXECUTION_ENV',
  'AWS_LAMBDA_FUNCTION_NAME',
  'AWS_LAMBDA_FUNCTION_MEMORY_SIZE',
  'AWS_LAMBDA_FUNCTION_VERSION',
  'AWS_LAMBDA_INITIALIZATION_TYPE',
  'AWS_LAMBDA_LOG_GROUP_NAME',
  'AWS_LAMBDA_LOG_STREAM_NAME',
  'AWS_ACCESS_KEY',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AWS_LAMBDA_RUNTIME_API',
  'LAMBDA_TASK_ROOT',
  'LAMBDA_RUNTIME_DIR',
  'AWS_LAMBDA_MAX_CONCURRENCY',
  'AWS_LAMBDA_METADATA_API',
  'AWS_LAMBDA_METADATA_TOKEN',
]);

export interface SettingsLimits {
  /** The account's largest MemorySize in MiB. */
  readonly maxMemoryMib: number;
}

/** Where, for whom and within which limits settings are checked. */
export interface SettingsScope extends LayerScope {
  /** The function's. */
  readonly account: string;
  readonly limits: SettingsLimits;
}

type CreatableSettings = Omit<CreateFunctionRequest, 'FunctionName' | 'Code'>;
type CommonMembers = Omit<UpdateFunctionConfigurationRequest, 'FunctionName' | 'RevisionId'>;

/** What a new Zip function must say of its package. Throws InvalidParameterValueException. */
export function packageMembers(
  request: CreatableSettings,
): Pick<FunctionSettings, 'runtime' | 'handler'> {
  const { Runtime: runtime, Handler: handler } = request;
  if (request.PackageType === 'Image') refuseImage(request);
  if (runtime === undefined || handler === undefined)
    refuse(
      'Runtime and Handler are mandatory parameters for functions created with deployment packages.',
    );
  return { runtime, handler };
}

function refuseImage(request: CreatableSettings): never {
  if (
    request.Handler !== undefined ||
    request.Runtime !== undefined ||
    request.Layers !== undefined
  )
    refuse(
      "Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image.",
    );
  refuse('PackageType Image is not available on this host yet');
}

/**
 * The settings of a new function. Throws InvalidParameterValueException as the service does, in its order, and AccessDeniedException
 * for a role or a layer that is another account's.
 */
export function newSettings(
  request: CreatableSettings,
  { runtime, handler }: Pick<FunctionSettings, 'runtime' | 'handler'>,
  scope: SettingsScope,
): Omit<FunctionSettings, 'code'> {
  refuseUnavailable(request);
  const settings: Omit<FunctionSettings, 'code'> = {
    runtime,
    handler,
    role: request.Role,
    description: request.Description ?? '',
    timeout: request.Timeout ?? 3,
    memorySize: request.MemorySize ?? 128,
    ephemeralStorageMib: request.EphemeralStorage?.Size ?? 512,
    architectures: request.Architectures ?? ['x86_64'],
    variables: request.Environment && (request.Environment.Variables ?? {}),
    logging: logging(undefined, request.LoggingConfig),
    tracingMode: request.TracingConfig?.Mode ?? 'PassThrough',
    deadLetter: deadLetter(undefined, request.DeadLetterConfig, scope),
    vpc: request.VpcConfig && vpc(undefined, request.VpcConfig),
    kmsKeyArn: presentText(request.KMSKeyArn),
    fileSystems: presentList(request.FileSystemConfigs),
    snapStart: request.SnapStart?.ApplyOn ?? 'None',
    tenantIsolation: request.TenancyConfig?.TenantIsolationMode,
    sourceKmsKeyArn: undefined,
  };
  checkSettings(settings, request.LoggingConfig, scope.limits);
  const layers = presentList(attachedLayers(scope, request.Layers ?? []));
  checkTags(request.Tags ?? {});
  checkRole(settings.role, scope);
  return { ...settings, layers };
}

/** The settings after an update: members left out stay, members given replace. */
export function updatedSettings(
  current: FunctionSettings,
  request: CommonMembers,
  scope: SettingsScope,
): FunctionSettings {
  if (request.CapacityProviderConfig !== undefined)
    refuse("CapacityProviderConfig isn't supported for Lambda Default functions.");
  refuseUnavailable(request);
  const settings: FunctionSettings = {
    ...current,
    runtime: request.Runtime ?? current.runtime,
    handler: request.Handler ?? current.handler,
    role: request.Role ?? current.role,
    description: request.Description ?? current.description,
    timeout: request.Timeout ?? current.timeout,
    memorySize: request.MemorySize ?? current.memorySize,
    ephemeralStorageMib: request.EphemeralStorage?.Size ?? current.ephemeralStorageMib,
    variables:
      request.Environment === undefined ? current.variables : (request.Environment.Variables ?? {}),
    logging: logging(current.logging, request.LoggingConfig),
    tracingMode: request.TracingConfig?.Mode ?? current.tracingMode,
    deadLetter: deadLetter(current.deadLetter, request.DeadLetterConfig, scope),
    vpc: request.VpcConfig === undefined ? current.vpc : vpc(current.vpc, request.VpcConfig),
    kmsKeyArn: request.KMSKeyArn === undefined ? current.kmsKeyArn : presentText(request.KMSKeyArn),
    fileSystems:
      request.FileSystemConfigs === undefined
        ? current.fileSystems
        : presentList(request.FileSystemConfigs),
    snapStart: request.SnapStart?.ApplyOn ?? current.snapStart,
  };
  checkSettings(settings, request.LoggingConfig, scope.limits);
  const updated =
    request.Layers === undefined
      ? settings
      : { ...settings, layers: presentList(attachedLayers(scope, request.Layers)) };
  if (request.Role !== undefined) checkRole(request.Role, scope);
  if (request.Layers !== undefined) checkCombinedSize(updated);
  return updated;
}

/** Whoever may deploy must not come by the credentials that another account's role is mapped to. */
function checkRole(role: string, { account }: SettingsScope): void {
  if (role.split(':')[4] !== account)
    throw new ServiceError('AccessDeniedException', 'Cross-account pass role is not allowed.');
}

/** Throws InvalidParameterValueException when code and layers are too large together. */
export function withCode(
  settings: Omit<FunctionSettings, 'code'>,
  code: CodeReference,
  sourceKmsKeyArn: string | undefined,
): FunctionSettings {
  const updated = { ...settings, code, sourceKmsKeyArn };
  checkCombinedSize(updated);
  return updated;
}

function checkSettings(
  settings: Omit<FunctionSettings, 'code'>,
  loggingRequest: LoggingConfig | undefined,
  limits: SettingsLimits,
): void {
  checkRuntime(settings.runtime);
  if (settings.memorySize > limits.maxMemoryMib)
    refuse(
      `'MemorySize' value failed to satisfy constraint: Member must have value less than or equal to ${limits.maxMemoryMib}`,
    );
  if (settings.timeout > MAX_TIMEOUT_SECONDS)
    refuse(
      `'Timeout' value failed to satisfy constraint: Member must have value less than or equal to ${MAX_TIMEOUT_SECONDS}`,
    );
  checkSnapStart(settings);
  checkVariables(settings.variables ?? {});
  const hasLevel =
    loggingRequest?.ApplicationLogLevel !== undefined ||
    loggingRequest?.SystemLogLevel !== undefined;
  if (settings.logging.logFormat === 'Text' && hasLevel)
    refuse(
      'LogLevel is not supported when LogFormat is set to "Text". Remove LogLevel from your request or change the LogFormat to "JSON" and try again.',
    );
}

function checkRuntime(runtime: string): void {
  const creatable: readonly string[] = model.validation.runtimeMessageOrder;
  if (creatable.includes(runtime)) return;
  const known: readonly string[] = model.shapes.Runtime.enum;
  if (known.includes(runtime) && !NEWER_RUNTIMES.has(runtime))
    refuse(
      `The runtime parameter of ${runtime} is no longer supported for creating or updating AWS Lambda functions. We recommend you use a supported runtime while creating or updating functions.`,
    );
  if (known.includes(runtime)) return;
  refuse(
    `Value ${runtime} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [${creatable.join(', ')}] or be a valid ARN`,
  );
}

/** In the model's enum, but younger than the recorded message order of creatable runtimes. */
const NEWER_RUNTIMES: ReadonlySet<string> = new Set([
  'nodejs26.x',
  'python3.15',
  'ruby4.0',
  'java8.al2023',
  'java11.al2023',
  'java17.al2023',
]);

function checkVariables(variables: Readonly<Record<string, string>>): void {
  const json = JSON.stringify(variables);
  if (Buffer.byteLength(json) > MAX_ENVIRONMENT_BYTES)
    refuse(
      `Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit. String measured: ${json}`,
    );
  const reserved = Object.keys(variables).filter((name) => RESERVED_VARIABLES.has(name));
  if (reserved.length > 0)
    refuse(
      `Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: ${reserved.join(', ')}`,
    );
}

/** Members that this host knows and cannot act on yet are refused, never stored and ignored. */
function refuseUnavailable(
  request: {
    readonly [Member in keyof CreatableSettings]?: CreatableSettings[Member] | undefined;
  },
): void {
  const members = ['DurableConfig', 'CapacityProviderConfig', 'PublishTo'] as const;
  for (const member of members)
    if (request[member] !== undefined) refuse(`${member} is not available on this host yet`);
  if (request.ImageConfig !== undefined)
    refuse('ImageConfig is only supported for functions of PackageType Image');
}

/** LoggingConfig is merged: switching to JSON sets missing levels to INFO, switching to Text drops both. */
function logging(
  current: LoggingSettings | undefined,
  request: LoggingConfig | undefined,
): LoggingSettings {
  const logFormat = request?.LogFormat ?? current?.logFormat ?? 'Text';
  const logGroup = request?.LogGroup ?? current?.logGroup;
  if (logFormat === 'Text') return { logFormat, logGroup };
  return {
    logFormat,
    logGroup,
    applicationLogLevel: request?.ApplicationLogLevel ?? current?.applicationLogLevel ?? 'INFO',
    systemLogLevel: request?.SystemLogLevel ?? current?.systemLogLevel ?? 'INFO',
  };
}

function vpc(current: VpcSettings | undefined, request: VpcConfig): VpcSettings {
  return {
    subnetIds: request.SubnetIds ?? current?.subnetIds ?? [],
    securityGroupIds: request.SecurityGroupIds ?? current?.securityGroupIds ?? [],
    ipv6AllowedForDualStack:
      request.Ipv6AllowedForDualStack ?? current?.ipv6AllowedForDualStack ?? false,
  };
}

function presentText<T extends string>(text: T | undefined): T | undefined {
  return text === '' ? undefined : text;
}

function presentList<T>(list: readonly T[] | undefined): readonly T[] | undefined {
  return list === undefined || list.length === 0 ? undefined : list;
}

function refuse(message: string): never {
  throw new ServiceError('InvalidParameterValueException', message);
}

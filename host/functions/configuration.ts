// A stored version as the API shows it: FunctionConfiguration, member by member.
import { createHash } from 'node:crypto';
import type {
  FunctionConfiguration,
  LoggingConfig,
  RuntimeVersionConfig,
  VpcConfigResponse,
} from '../api/model/types.ts';
import { functionArn, partitionOf, type Scope } from './names.ts';
import type { FunctionRecord, FunctionSettings, VersionRecord } from './record.ts';
import { isOptimized } from './snap-start.ts';

/** SHA-256 in hex of what runs a runtime identifier here; part of the runtime version's ARN. */
export type RuntimeHash = (runtime: string) => string;

export interface ConfigurationView {
  readonly scope: Scope;
  readonly record: FunctionRecord;
  readonly version: VersionRecord;
  /** As asked; undefined shows the unqualified ARN. */
  readonly qualifier: string | undefined;
  readonly runtimeHash: RuntimeHash;
  /** ARN of the runtime version that alone may run; undefined when the host decides. */
  readonly pinnedRuntime?: string | undefined;
}

export function functionConfiguration(view: ConfigurationView): FunctionConfiguration {
  const { version } = view;
  return {
    ...listedConfiguration(view),
    State: version.state,
    StateReason: version.stateReason?.text,
    StateReasonCode: version.stateReason?.code,
    LastUpdateStatus: version.lastUpdateStatus,
    LastUpdateStatusReason: version.lastUpdateReason?.text,
    // as: the two reason code enums of the model hold the codes we use alike
    LastUpdateStatusReasonCode: version.lastUpdateReason
      ?.code as FunctionConfiguration['LastUpdateStatusReasonCode'],
    RuntimeVersionConfig: runtimeVersionConfig(view),
  };
}

/** As in the answers of List operations: without states and runtime version. */
export function listedConfiguration(view: ConfigurationView): FunctionConfiguration {
  const { scope, record, version, qualifier } = view;
  const { settings } = version;
  return {
    FunctionName: record.name,
    FunctionArn: functionArn(scope, record.name, qualifier),
    // as: only identifiers of the model's enum are stored
    Runtime: settings.runtime as FunctionConfiguration['Runtime'],
    Role: settings.role,
    Handler: settings.handler,
    CodeSize: settings.code.sizeBytes,
    Description: settings.description,
    Timeout: settings.timeout,
    MemorySize: settings.memorySize,
    LastModified: version.lastModified,
    CodeSha256: settings.code.sha256,
    Version: version.version,
    VpcConfig: vpcConfig(settings),
    DeadLetterConfig: settings.deadLetter,
    Environment: settings.variables && { Variables: settings.variables },
    KMSKeyArn: settings.kmsKeyArn,
    TracingConfig: { Mode: settings.tracingMode },
    RevisionId: version.revisionId,
    Layers: settings.layers?.map(({ arn, content }) => ({ Arn: arn, CodeSize: content.sizeBytes })),
    FileSystemConfigs: settings.fileSystems,
    PackageType: 'Zip',
    Architectures: settings.architectures,
    EphemeralStorage: { Size: settings.ephemeralStorageMib },
    SnapStart: { ApplyOn: settings.snapStart, OptimizationStatus: optimizationStatus(version) },
    LoggingConfig: loggingConfig(record.name, settings),
    TenancyConfig: settings.tenantIsolation && { TenantIsolationMode: settings.tenantIsolation },
  };
}

/** `$LATEST` is never optimized; a published version that asks for it is, once it is active. */
function optimizationStatus(version: VersionRecord): 'On' | 'Off' {
  return isOptimized(version) && version.state === 'Active' ? 'On' : 'Off';
}

/** A version that was pinned and is not on this host any more is shown with an error: it does not run. */
function runtimeVersionConfig(view: ConfigurationView): RuntimeVersionConfig {
  const { scope, runtimeHash, version, pinnedRuntime } = view;
  const available = runtimeVersionArn(scope.region, runtimeHash, version.settings);
  if (pinnedRuntime === undefined || pinnedRuntime === available)
    return { RuntimeVersionArn: available };
  const Message = `The runtime version is not on this host; it has ${available}`;
  return { RuntimeVersionArn: pinnedRuntime, Error: { ErrorCode: 'InvalidRuntime', Message } };
}

export function runtimeVersionArn(
  region: string,
  runtimeHash: RuntimeHash,
  settings: FunctionSettings,
): string {
  return `arn:${partitionOf(region)}:lambda:${region}::runtime:${runtimeHash(settings.runtime)}`;
}

export function logGroupName(functionName: string, settings: FunctionSettings): string {
  return settings.logging.logGroup ?? `/aws/lambda/${functionName}`;
}

function loggingConfig(functionName: string, settings: FunctionSettings): LoggingConfig {
  const { logFormat, applicationLogLevel, systemLogLevel } = settings.logging;
  return {
    LogFormat: logFormat,
    // as: both levels have been checked against the model's enums
    ApplicationLogLevel: applicationLogLevel as LoggingConfig['ApplicationLogLevel'],
    SystemLogLevel: systemLogLevel as LoggingConfig['SystemLogLevel'],
    LogGroup: logGroupName(functionName, settings),
  };
}

function vpcConfig({ vpc }: FunctionSettings): VpcConfigResponse | undefined {
  if (vpc === undefined) return undefined;
  return {
    SubnetIds: vpc.subnetIds,
    SecurityGroupIds: vpc.securityGroupIds,
    VpcId: vpc.subnetIds.length === 0 ? '' : vpcId(vpc.subnetIds),
    Ipv6AllowedForDualStack: vpc.ipv6AllowedForDualStack,
  };
}

/** There are no VPCs here; the id is made of the subnets so that it stays the same. */
function vpcId(subnetIds: readonly string[]): string {
  const hash = createHash('sha256').update(subnetIds.toSorted().join()).digest('hex');
  return `vpc-${hash.slice(0, 17)}`;
}

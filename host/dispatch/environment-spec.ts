// A stored version as the runtime needs it: the plain EnvironmentSpec, and the variables of its environments,
// which are those of the service and the address of this host.
import type { EnvironmentInstance, EnvironmentSpec, LogSink } from '../../runtime/invocation.ts';
import type { SystemLogLevel } from '../../runtime/logs/platform-log.ts';
import { isCustomRuntime } from '../../runtime/runtimes/runtime-family.ts';
import type { RuntimeVersion } from '../../runtime/runtimes/runtimes.ts';
import type { FunctionIdentity } from '../auth/function-credentials.ts';
import type { EnvironmentCredentials } from '../auth/role-credentials.ts';
import { logGroupName, runtimeVersionArn } from '../functions/configuration.ts';
import { environmentKey } from '../functions/functions.ts';
import { type FunctionRecord, functionKey, type VersionRecord } from '../functions/record.ts';
import { isOptimized } from '../functions/snap-start.ts';
import { layerDigests } from '../layers/attach.ts';
import { type LayerContents, needsLateStart } from './late-start.ts';

/** What specs need of the rest of the host. */
export interface SpecParts {
  /** See `CodePackages` in host/code/packages.ts. */
  readonly packages: {
    stage(digest: string): Promise<string>;
    stageLayers(digests: readonly string[]): Promise<string>;
    discard(directory: string): void;
  } & LayerContents;
  readonly openLogStream: (
    scope: { account: string; region: string },
    group: string,
    stream: string,
  ) => LogSink;
  readonly credentialsFor: (identity: FunctionIdentity) => Promise<EnvironmentCredentials>;
  /** Where functions reach this host's API. */
  readonly endpointUrl: string;
}

export function environmentSpec(
  record: FunctionRecord,
  version: VersionRecord,
  runtimeVersion: RuntimeVersion,
  parts: SpecParts,
): EnvironmentSpec {
  const { account, region, name } = record;
  const { settings } = version;
  const { digest } = settings.code;
  const layers = layerDigests(settings);
  const key = functionKey(account, region, name);
  return {
    key: environmentKey(key, version),
    functionKey: key,
    functionName: name,
    functionVersion: version.version,
    accountId: account,
    runtime: settings.runtime,
    memoryMib: settings.memorySize,
    ephemeralStorageMib: settings.ephemeralStorageMib,
    timeoutMs: settings.timeout * 1000,
    snapStart: isOptimized(version),
    startsLate: needsLateStart(settings, parts.packages),
    logFormat: settings.logging.logFormat,
    // as: checked against the model's enum when it was stored
    systemLogLevel: (settings.logging.systemLogLevel ?? 'INFO') as SystemLogLevel,
    applicationLogLevel: settings.logging.applicationLogLevel ?? 'TRACE',
    runtimeVersion: runtimeVersion.name,
    runtimeVersionArn: runtimeVersionArn(region, () => runtimeVersion.hash, settings),
    stageCode: () => parts.packages.stage(digest),
    stageLayers: layers && (() => parts.packages.stageLayers(layers)),
    importsFromNodePath: layers !== undefined || settings.variables?.['NODE_PATH'] !== undefined,
    discardCode: (directory) => parts.packages.discard(directory),
    variables: async (instance) => {
      const { role } = settings;
      const credentials = await parts.credentialsFor({ role, account, functionName: name });
      return {
        variables: variables(record, version, instance, credentials, parts.endpointUrl),
        expiresAtMs: credentials.expiresAt,
      };
    },
    openLogStream: (stream) =>
      parts.openLogStream({ account, region }, logGroupName(name, settings), stream),
  };
}

function variables(
  record: FunctionRecord,
  { version, settings }: VersionRecord,
  { logStreamName, initializationType, paths, runtimeApi }: EnvironmentInstance,
  credentials: EnvironmentCredentials,
  endpointUrl: string,
): Record<string, string> {
  const overridable: Record<string, string> = {
    AWS_ENDPOINT_URL_LAMBDA: endpointUrl,
    AWS_XRAY_CONTEXT_MISSING: 'LOG_ERROR',
    AWS_XRAY_DAEMON_ADDRESS: '169.254.100.1:2000',
    LANG: 'en_US.UTF-8',
    LD_LIBRARY_PATH: `/var/lang/lib:/lib64:/usr/lib64:${paths.runtimeDir}:${paths.runtimeDir}/lib:${paths.taskRoot}:${paths.taskRoot}/lib:${paths.optDir}/lib`,
    PATH: `/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:${paths.optDir}/bin`,
    TZ: ':UTC',
    ...languageVariables(settings.runtime, paths),
    ...(paths.tmpDir === '/tmp' ? {} : { TMPDIR: paths.tmpDir }),
  };
  if (settings.logging.logFormat === 'JSON') {
    overridable['AWS_LAMBDA_LOG_FORMAT'] = 'JSON';
    overridable['AWS_LAMBDA_LOG_LEVEL'] = settings.logging.applicationLogLevel ?? 'INFO';
  }
  const reserved: Record<string, string> = {
    _HANDLER: settings.handler,
    _AWS_XRAY_DAEMON_ADDRESS: '169.254.100.1',
    _AWS_XRAY_DAEMON_PORT: '2000',
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_DEFAULT_REGION: record.region,
    AWS_REGION: record.region,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(settings.memorySize),
    AWS_LAMBDA_FUNCTION_NAME: record.name,
    AWS_LAMBDA_FUNCTION_VERSION: version,
    AWS_LAMBDA_INITIALIZATION_TYPE: initializationType,
    AWS_LAMBDA_LOG_GROUP_NAME: logGroupName(record.name, settings),
    AWS_LAMBDA_LOG_STREAM_NAME: logStreamName,
    LAMBDA_RUNTIME_DIR: paths.runtimeDir,
    LAMBDA_TASK_ROOT: paths.taskRoot,
  };
  if (runtimeApi !== undefined) reserved['AWS_LAMBDA_RUNTIME_API'] = runtimeApi;
  // Its log stream is not known when a snapshot is taken.
  if (initializationType === 'snap-start') {
    delete reserved['AWS_LAMBDA_LOG_GROUP_NAME'];
    delete reserved['AWS_LAMBDA_LOG_STREAM_NAME'];
  }
  if (credentials.sessionToken !== undefined)
    reserved['AWS_SESSION_TOKEN'] = credentials.sessionToken;
  return {
    ...overridable,
    ...settings.variables,
    ...reserved,
    ...managedVariables(settings.runtime, paths),
  };
}

/** What only the service's own runtimes have, most of it from the shell that starts them. */
function managedVariables(
  runtime: string,
  { taskRoot }: EnvironmentInstance['paths'],
): Record<string, string> {
  if (isCustomRuntime(runtime)) return {};
  return { AWS_EXECUTION_ENV: `AWS_Lambda_${runtime}`, PWD: taskRoot, SHLVL: '0' };
}

function languageVariables(
  runtime: string,
  paths: EnvironmentInstance['paths'],
): Record<string, string> {
  // What Python makes of a locale that the machine does not have.
  if (runtime.startsWith('python')) return { PYTHONPATH: paths.runtimeDir, LC_CTYPE: 'C.UTF-8' };
  const major = /^nodejs(\d+)\.x$/.exec(runtime)?.[1];
  if (major === undefined) return {};
  return {
    NODE_PATH: `${paths.optDir}/nodejs/node${major}/node_modules:${paths.optDir}/nodejs/node_modules:${paths.runtimeDir}/node_modules:${paths.runtimeDir}:${paths.taskRoot}`,
  };
}

// From the settings as they are given to the configuration of a host: read, checked against each other, frozen. The only reader of
// the environment and of the configuration file.
import { totalmem } from 'node:os';
import { npmEnvironment } from '../runtime/runtimes/node/install.ts';
import { describeSettings, SETTINGS, type Setting, type SettingValues } from './config-settings.ts';
import { collectValues, type SourceOptions } from './config-sources.ts';
import {
  BadValue,
  isLoopbackHost,
  type ListenAddress,
  type MemoryAmount,
} from './config-values.ts';

export type { ListenAddress } from './config-values.ts';
export { isLoopbackHost } from './config-values.ts';

export interface HostConfig {
  readonly listen: ListenAddress;
  /** Absolute. */
  readonly dataDir: string;
  readonly auth: 'sigv4' | 'none';
  /** Whether a refused signature is explained. */
  readonly debugSignatures: boolean;
  /** Bearer token under `/_lambkin/`, in place of a generated one. */
  readonly token: string | undefined;
  /** In place of a generated pair. */
  readonly admin: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
  readonly accountId: string;
  readonly region: string;
  /** Base of every link that is handed out, without a slash at the end. */
  readonly publicUrl: string | undefined;
  /** Lower-case names that may stand in `Host` beside the host's own. */
  readonly trustedHosts: readonly string[];
  /** Absolute paths of PEM files. */
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined;
  readonly isolation: {
    readonly mode: 'auto' | 'require-full' | 'require-partial' | 'off';
    readonly backend: 'auto' | 'bwrap' | 'uid' | 'process';
    /** `auto`, `none`, or the absolute path of a cgroup (version 2) that is the host's own. */
    readonly cgroupRoot: string;
  };
  readonly python: {
    /** Absolute paths of interpreters, or of directories with some, that come before all others. */
    readonly named: readonly string[];
    /** As in the variable PATH. */
    readonly searchPath: string;
  };
  readonly node: {
    /** Versions that functions ask for and the machine lacks are installed into the data directory. */
    readonly install: boolean;
    /** What the npm that does so is given. */
    readonly npmEnvironment: Readonly<Record<string, string | undefined>>;
  };
  readonly functionError: 'modern' | 'classic';
  readonly pool: {
    readonly idleMs: number;
    readonly memoryBudgetBytes: number;
    /** Generic slots kept ready for each shape in use. */
    readonly genericSlots: number;
  };
  readonly dispatch: {
    /** Calls that may wait for the machine, per function. */
    readonly queueLength: number;
    readonly queueWaitMs: number;
    readonly accountConcurrency: number;
    /** Whether requests per second are limited as well. */
    readonly limitsRate: boolean;
  };
  readonly async: {
    /** Before the first retry after an error of the function; before the second twice that. */
    readonly retryBaseMs: number;
    /** How long an event that was given up is kept; 0: not at all. */
    readonly keepDeadLettersMs: number;
  };
  readonly logs: { readonly maxBytesPerGroup: number };
  readonly shutdown: { readonly graceMs: number };
  readonly limits: {
    /** Processes and threads of one execution environment. */
    readonly pids: number;
    /** The largest MemorySize that a function may ask for. */
    readonly memoryMib: number;
    /** Requests per second to the control plane, of one account in one region; undefined: no limit. */
    readonly apiRates: {
      readonly getFunction: number | undefined;
      readonly getPolicy: number | undefined;
      readonly others: number | undefined;
    };
  };
  /** Where services are that functions get their packages from or send their outcomes to, if not at AWS. */
  readonly awsEndpoints: {
    readonly s3: string | undefined;
    readonly sqs: string | undefined;
    readonly sns: string | undefined;
    readonly events: string | undefined;
  };
}

export interface ConfigOptions extends SourceOptions {
  /** What shares of memory are of; by default what this process may use. */
  readonly usableMemoryBytes?: number | undefined;
}

/** Everything that is wrong with the configuration, at once. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`The configuration cannot be used:\n${problems.map((each) => `  ${each}`).join('\n')}`);
    this.problems = problems;
  }
}

/** Flag over variable over file over default. Throws {@link ConfigError} with all that is wrong. */
export function readConfig(options: ConfigOptions): HostConfig {
  const problems: string[] = [];
  const values = readValues(options, problems);
  if (values !== undefined) problems.push(...contradictions(values));
  if (values === undefined || problems.length > 0) throw new ConfigError(problems);
  const memoryBytes = options.usableMemoryBytes ?? usableMemory();
  return deepFreeze(hostConfig(values, memoryBytes, options.env));
}

/** Undefined when some value could not be read. */
function readValues(options: ConfigOptions, problems: string[]): SettingValues | undefined {
  const names = describeSettings().map(({ name, variable, flag }) => ({
    name,
    variable,
    flag: flag?.slice(2),
  }));
  const given = collectValues(names, options, problems);
  const values: Record<string, unknown> = {};
  let isWhole = true;
  for (const [name, setting] of Object.entries<Setting<unknown>>(SETTINGS)) {
    const found = given.get(name) ?? { raw: setting.default, label: name, baseDir: options.cwd };
    if (found.raw === undefined) continue;
    try {
      values[name] = setting.parse(found.raw, found);
    } catch (error) {
      if (!(error instanceof BadValue)) throw error;
      problems.push(`${found.label}: ${error.message}`);
      isWhole = false;
    }
  }
  return isWhole ? (values as unknown as SettingValues) : undefined; // as: each member is what its own parser returned
}

/** What each value allows by itself, but not together with another. */
function contradictions(values: SettingValues): readonly string[] {
  const problems: string[] = [];
  if (values.auth === 'none' && !isLoopbackHost(values.listen.host))
    problems.push(
      `auth none lets anyone who reaches ${values.listen.host} run code here; listen on 127.0.0.1 or [::1], or use --auth sigv4`,
    );
  if ((values['tls.cert'] === undefined) !== (values['tls.key'] === undefined))
    problems.push('--tls-cert and --tls-key belong together; only one of them is given');
  if ((values.accessKeyId === undefined) !== (values.secretAccessKey === undefined))
    problems.push(
      'LAMBKIN_ACCESS_KEY_ID and LAMBKIN_SECRET_ACCESS_KEY belong together; only one of them is given',
    );
  return problems;
}

function hostConfig(
  values: SettingValues,
  usableMemoryBytes: number,
  env: ConfigOptions['env'],
): HostConfig {
  return {
    listen: values.listen,
    dataDir: values.dataDir,
    auth: values.auth,
    debugSignatures: values.debugSignatures === 'on',
    token: values.token,
    admin: adminPair(values),
    accountId: values.accountId,
    region: values.region,
    publicUrl: values.publicUrl,
    trustedHosts: values.trustedHosts ?? [],
    tls: tlsFiles(values),
    isolation: {
      mode: values.isolation,
      backend: values['isolation.backend'],
      cgroupRoot: values['isolation.cgroupRoot'],
    },
    python: { named: values.python ?? [], searchPath: values.searchPath ?? '' },
    node: {
      install: values['node.install'] === 'on',
      npmEnvironment: npmEnvironment(env, values.searchPath ?? ''),
    },
    functionError: values.functionError,
    pool: {
      idleMs: values['pool.idleMs'],
      memoryBudgetBytes: budgetBytes(values['pool.memoryBudget'], usableMemoryBytes),
      genericSlots: values['pool.generic'],
    },
    dispatch: {
      queueLength: values['dispatch.queueLength'],
      queueWaitMs: values['dispatch.queueWaitMs'],
      accountConcurrency: values['dispatch.accountConcurrency'],
      limitsRate: values['dispatch.requestRate'] === 'on',
    },
    async: {
      retryBaseMs: values['async.retryBaseSeconds'] * 1000,
      keepDeadLettersMs: values['async.deadLetterSeconds'] * 1000,
    },
    logs: { maxBytesPerGroup: values['logs.maxBytesPerGroup'] },
    shutdown: { graceMs: values['shutdown.graceMs'] },
    limits: {
      pids: values['limits.pids'],
      memoryMib: values['limits.memoryMib'],
      apiRates: {
        getFunction: values['limits.getFunctionRate'],
        getPolicy: values['limits.getPolicyRate'],
        others: values['limits.apiRate'],
      },
    },
    awsEndpoints: {
      s3: values.s3Endpoint ?? values.awsEndpoint,
      sqs: values.sqsEndpoint ?? values.awsEndpoint,
      sns: values.snsEndpoint ?? values.awsEndpoint,
      events: values.eventBridgeEndpoint ?? values.awsEndpoint,
    },
  };
}

function adminPair({ accessKeyId, secretAccessKey }: SettingValues): HostConfig['admin'] {
  if (accessKeyId === undefined || secretAccessKey === undefined) return undefined;
  return { accessKeyId, secretAccessKey };
}

function tlsFiles(values: SettingValues): HostConfig['tls'] {
  const { 'tls.cert': certFile, 'tls.key': keyFile } = values;
  return certFile === undefined || keyFile === undefined ? undefined : { certFile, keyFile };
}

function budgetBytes(amount: MemoryAmount, usableMemoryBytes: number): number {
  if (amount.kind === 'bytes') return amount.bytes;
  return Math.floor((usableMemoryBytes / 100) * amount.percent);
}

/** The machine's memory, or the limit of the control group that this process is in. */
function usableMemory(): number {
  // 0, or far more than there is, when nothing limits the process.
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const member of Object.values(value)) deepFreeze(member);
    Object.freeze(value);
  }
  return value;
}

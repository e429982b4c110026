// The one list of every setting: its names, its default, what it is for. The only reader of the environment and of the
// configuration file.
import { totalmem } from 'node:os';
import { npmEnvironment } from '../runtime/node/install.ts';
import { collectValues, type SourceOptions } from './config-sources.ts';
import {
  BadValue,
  bytes,
  endpointUrl,
  hostNames,
  isLoopbackHost,
  type ListenAddress,
  listenAddress,
  type MemoryAmount,
  matching,
  memoryAmount,
  oneOf,
  origin,
  type Parser,
  path,
  pathOrOneOf,
  paths,
  rate,
  secretMatching,
  text,
  whole,
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

interface Setting<T> {
  /** Read like a given value. Undefined: the setting may be absent. */
  readonly default: string | undefined;
  readonly parse: Parser<T>;
  readonly about: string;
  /** Without dashes. */
  readonly flag?: string;
  readonly placeholder?: string;
  /** Where it is not LAMBKIN_ and the name. */
  readonly variable?: string;
}

const MIB = 1024 * 1024;
const DAY_MS = 86_400_000;

const SETTINGS = {
  listen: {
    default: '127.0.0.1:9001',
    parse: listenAddress,
    flag: 'listen',
    placeholder: 'ADDRESS:PORT',
    about: 'Where requests are taken; port 0 is any free one',
  },
  dataDir: {
    default: '.lambkin',
    parse: path,
    flag: 'data',
    placeholder: 'DIR',
    about: 'Everything that is kept: functions, code, logs, secrets',
  },
  auth: {
    default: 'sigv4',
    parse: oneOf(['sigv4', 'none']),
    flag: 'auth',
    placeholder: 'sigv4|none',
    about: 'Whether requests must be signed; none is for loopback only',
  },
  accessKeyId: {
    default: undefined,
    parse: matching(/^\w{3,128}$/, '3 to 128 letters, digits or underscores'),
    about: 'Id of the admin key pair, in place of a generated one',
  },
  secretAccessKey: {
    default: undefined,
    parse: secretMatching(/^[\x21-\x7e]{1,256}$/, 'visible ASCII characters without blanks'),
    about: 'Secret of the admin key pair',
  },
  token: {
    default: undefined,
    parse: secretMatching(/^[\x21-\x7e]{16,256}$/, '16 to 256 visible ASCII characters'),
    about: 'Bearer token under /_lambkin/, in place of a generated one',
  },
  debugSignatures: {
    default: 'off',
    parse: oneOf(['off', 'on']),
    about: 'Tell a caller whose signature does not match what should have been signed',
  },
  accountId: {
    default: '000000000000',
    parse: matching(/^\d{12}$/, '12 digits'),
    flag: 'account-id',
    placeholder: 'ID',
    about: 'Account of the admin key pair and of unsigned requests',
  },
  region: {
    default: 'us-east-1',
    // As in the function ARNs of the service model.
    parse: matching(/^[a-z]{2}(-gov|-iso[a-z]?)?-[a-z]+-\d$/, 'a region such as us-east-1'),
    flag: 'region',
    placeholder: 'REGION',
    about: 'Region of unsigned requests; a signed one names its own',
  },
  publicUrl: {
    default: undefined,
    parse: origin,
    flag: 'public-url',
    placeholder: 'URL',
    about: 'Base of every link that is handed out, if not the address of the request',
  },
  trustedHosts: {
    default: undefined,
    parse: hostNames,
    about: 'Names that a proxy may put in Host, separated by commas',
  },
  'tls.cert': {
    default: undefined,
    parse: path,
    flag: 'tls-cert',
    placeholder: 'FILE',
    about: 'Certificate chain in PEM; serves HTTPS',
  },
  'tls.key': {
    default: undefined,
    parse: path,
    flag: 'tls-key',
    placeholder: 'FILE',
    about: 'Private key in PEM',
  },
  isolation: {
    default: 'auto',
    parse: oneOf(['auto', 'require-full', 'require-partial', 'off']),
    flag: 'isolation',
    placeholder: 'auto|require-full|require-partial|off',
    about: 'How strongly functions are kept apart, and whether less is refused',
  },
  'isolation.backend': {
    default: 'auto',
    parse: oneOf(['auto', 'bwrap', 'uid', 'process']),
    about: 'What sandboxes are made by: bwrap, a user for each, plain processes; or the strongest',
  },
  'isolation.cgroupRoot': {
    default: 'auto',
    parse: pathOrOneOf(['auto', 'none']),
    about: 'The control group (version 2) that sandboxes go below; none: memory is polled',
  },
  python: {
    default: undefined,
    parse: paths,
    about: 'Python interpreters, or directories with some, to be preferred; separated by colons',
  },
  'node.install': {
    default: 'on',
    parse: oneOf(['on', 'off']),
    about:
      'Whether Node versions that functions ask for are installed by npm where they are missing',
  },
  searchPath: {
    default: undefined,
    parse: text,
    variable: 'PATH',
    about: 'Where programs are found, Python interpreters among them',
  },
  functionError: {
    default: 'modern',
    parse: oneOf(['modern', 'classic']),
    about: 'modern: X-Amz-Function-Error is always Unhandled; classic: Handled or Unhandled',
  },
  'pool.idleMs': {
    default: '600000',
    parse: whole(0, DAY_MS),
    about: 'How long an idle execution environment is kept, in ms',
  },
  'pool.memoryBudget': {
    default: '70%',
    parse: memoryAmount(128 * MIB),
    about: 'Memory for execution environments: bytes, or a share of what the host may use',
  },
  'pool.generic': {
    default: '2',
    parse: whole(0, 1_000),
    about: 'Generic slots kept ready for each runtime, MemorySize and EphemeralStorage in use',
  },
  'dispatch.queueLength': {
    default: '1000',
    parse: whole(0, 1_000_000),
    about: 'Calls of one function that may wait for the machine',
  },
  'dispatch.queueWaitMs': {
    default: '10000',
    parse: whole(0, DAY_MS),
    about: 'How long a call may wait for the machine, in ms',
  },
  'dispatch.accountConcurrency': {
    default: '1000',
    parse: whole(1, 1_000_000),
    about: 'Concurrent executions of one account in one region',
  },
  'dispatch.requestRate': {
    default: 'off',
    parse: oneOf(['off', 'on']),
    about: 'Limit synchronous invocations of a function to 10 per second and concurrent execution',
  },
  'async.retryBaseSeconds': {
    default: '60',
    parse: whole(0, 86_400),
    about:
      'Wait before an asynchronous event is retried after an error of its function; twice that before the second retry',
  },
  'async.deadLetterSeconds': {
    default: '1209600',
    parse: whole(0, 315_360_000),
    about:
      'How long an asynchronous event that was given up is kept, to be looked at or redriven; 0 keeps none',
  },
  'logs.maxBytesPerGroup': {
    default: '256MiB',
    parse: bytes(MIB),
    about: 'Size of one log group on disk; the oldest events go first',
  },
  'shutdown.graceMs': {
    default: '30000',
    parse: whole(0, DAY_MS),
    about: 'How long running invocations may go on after SIGTERM, in ms',
  },
  'limits.pids': {
    default: '1024',
    parse: whole(16, 1_000_000),
    about: 'Processes and threads of one execution environment',
  },
  'limits.memoryMib': {
    default: '10240',
    parse: whole(128, 10_240),
    about: 'The largest MemorySize that a function may ask for, in MiB',
  },
  'limits.apiRate': {
    default: 'off',
    parse: rate,
    about: 'Requests per second to the control plane that an account may make; the service: 15',
  },
  'limits.getFunctionRate': {
    default: 'off',
    parse: rate,
    about: 'GetFunction per second, not counted with the others; the service: 100',
  },
  'limits.getPolicyRate': {
    default: 'off',
    parse: rate,
    about: 'GetPolicy per second, not counted with the others; the service: 15',
  },
  s3Endpoint: {
    default: undefined,
    parse: endpointUrl,
    variable: 'AWS_ENDPOINT_URL_S3',
    about:
      'Where deployment packages in S3 are fetched from and records of failures go, if not AWS',
  },
  sqsEndpoint: {
    default: undefined,
    parse: endpointUrl,
    variable: 'AWS_ENDPOINT_URL_SQS',
    about: 'Where queues are that outcomes and dead letters go to, if not at AWS',
  },
  snsEndpoint: {
    default: undefined,
    parse: endpointUrl,
    variable: 'AWS_ENDPOINT_URL_SNS',
    about: 'Where topics are that outcomes and dead letters go to, if not at AWS',
  },
  eventBridgeEndpoint: {
    default: undefined,
    parse: endpointUrl,
    variable: 'AWS_ENDPOINT_URL_EVENTBRIDGE',
    about: 'Where event buses are that outcomes go to, if not at AWS',
  },
  awsEndpoint: {
    default: undefined,
    parse: endpointUrl,
    variable: 'AWS_ENDPOINT_URL',
    about: 'Where each of these services is whose own endpoint is not given',
  },
} as const satisfies Record<string, Setting<unknown>>;

type SettingName = keyof typeof SETTINGS;

/** What the parser returns; with undefined where there is no default. */
type SettingValues = {
  readonly [K in SettingName]:
    | ReturnType<(typeof SETTINGS)[K]['parse']>
    | ((typeof SETTINGS)[K]['default'] extends undefined ? undefined : never);
};

/** Flag over variable over file over default. Throws {@link ConfigError} with all that is wrong. */
export function readConfig(options: ConfigOptions): HostConfig {
  const problems: string[] = [];
  const values = readValues(options, problems);
  if (values !== undefined) problems.push(...contradictions(values));
  if (values === undefined || problems.length > 0) throw new ConfigError(problems);
  const memoryBytes = options.usableMemoryBytes ?? usableMemory();
  return deepFreeze(hostConfig(values, memoryBytes, options.env));
}

/** One line for each flag, then one for each setting as variable and as name in the file. */
export function helpText(): string {
  const settings = describeSettings();
  const flags = settings.flatMap((setting): Row[] =>
    setting.flag === undefined
      ? []
      : [[`${setting.flag} ${setting.placeholder}`, aboutText(setting)]],
  );
  flags.push(['--config FILE', 'JSON file with any of the settings'], ['--help', 'This list']);
  const others = settings.map((setting): Row => {
    const { variable, name, flag } = setting;
    return [`${variable}  ${name}`, flag === undefined ? aboutText(setting) : `As ${flag}`];
  });
  return [
    'Usage: lambkin start [FLAG VALUE ...]',
    '       lambkin --version [--json]',
    '',
    ...columns(flags),
    '',
    'The same, and what has no flag, as a variable or by its name in the file:',
    '',
    ...columns(others),
  ].join('\n');
}

type Row = readonly [left: string, right: string];

function columns(rows: readonly Row[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}

function aboutText({ about, default: value }: SettingDescription): string {
  return value === undefined ? about : `${about} (${value})`;
}

export interface SettingDescription {
  readonly name: string;
  readonly variable: string;
  /** With its dashes. */
  readonly flag: string | undefined;
  readonly placeholder: string;
  readonly default: string | undefined;
  readonly about: string;
}

/** Every setting, for documents. */
export function describeSettings(): readonly SettingDescription[] {
  return Object.entries<Setting<unknown>>(SETTINGS).map(([name, setting]) => ({
    name,
    variable: setting.variable ?? variableOf(name),
    flag: setting.flag === undefined ? undefined : `--${setting.flag}`,
    placeholder: setting.placeholder ?? '',
    default: setting.default,
    about: setting.about,
  }));
}

/** `pool.idleMs` is LAMBKIN_POOL_IDLE_MS. */
function variableOf(name: string): string {
  const words = name.replaceAll('.', '_').replaceAll(/[A-Z]/g, (capital) => `_${capital}`);
  return `LAMBKIN_${words.toUpperCase()}`;
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

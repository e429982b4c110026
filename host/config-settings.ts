// The one list of every setting: its names, its default, how it is read, what it is for.
import {
  bytes,
  endpointUrl,
  hostNames,
  listenAddress,
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

export interface Setting<T> {
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

export const SETTINGS = {
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
export type SettingValues = {
  readonly [K in SettingName]:
    | ReturnType<(typeof SETTINGS)[K]['parse']>
    | ((typeof SETTINGS)[K]['default'] extends undefined ? undefined : never);
};

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

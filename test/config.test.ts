import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { ConfigOptions, HostConfig } from '../host/config.ts';
import { ConfigError, isLoopbackHost, readConfig } from '../host/config.ts';
import { helpText } from '../host/config-help.ts';
import { describeSettings } from '../host/config-settings.ts';

const MIB = 1024 * 1024;

function read(given: Partial<ConfigOptions> & { readonly file?: unknown } = {}): HostConfig {
  return readConfig({
    args: [],
    env: {},
    cwd: '/srv/app',
    usableMemoryBytes: 1_000 * MIB,
    readFile: (path) => {
      assert.equal(path, '/srv/app/etc/lambkin.json');
      return typeof given.file === 'string' ? given.file : JSON.stringify(given.file);
    },
    ...given,
  });
}

/** What is wrong with a configuration. */
function problems(given: Parameters<typeof read>[0]): readonly string[] {
  try {
    read(given);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    for (const problem of error.problems) assert.ok(error.message.includes(problem));
    return error.problems;
  }
  return [];
}

const fromFile = ['--config', 'etc/lambkin.json'];

test('without anything given, the defaults hold', () => {
  assert.deepEqual(read(), {
    listen: { host: '127.0.0.1', port: 9001 },
    dataDir: '/srv/app/.lambkin',
    auth: 'sigv4',
    debugSignatures: false,
    token: undefined,
    admin: undefined,
    accountId: '000000000000',
    region: 'us-east-1',
    publicUrl: undefined,
    trustedHosts: [],
    tls: undefined,
    isolation: { mode: 'auto', backend: 'auto', cgroupRoot: 'auto' },
    python: { named: [], searchPath: '' },
    node: { install: true, npmEnvironment: { PATH: '' } },
    functionError: 'modern',
    pool: { idleMs: 600_000, memoryBudgetBytes: 700 * MIB, genericSlots: 2 },
    dispatch: {
      queueLength: 1_000,
      queueWaitMs: 10_000,
      accountConcurrency: 1_000,
      limitsRate: false,
    },
    async: { retryBaseMs: 60_000, keepDeadLettersMs: 1_209_600_000 },
    logs: { maxBytesPerGroup: 256 * MIB },
    shutdown: { graceMs: 30_000 },
    limits: {
      pids: 1_024,
      memoryMib: 10_240,
      apiRates: { getFunction: undefined, getPolicy: undefined, others: undefined },
    },
    awsEndpoints: { s3: undefined, sqs: undefined, sns: undefined, events: undefined },
  });
});

test('one endpoint serves for every service that has none of its own', () => {
  const env = {
    AWS_ENDPOINT_URL: 'http://127.0.0.1:4566',
    AWS_ENDPOINT_URL_EVENTBRIDGE: 'http://127.0.0.1:9002',
  };
  const everything = 'http://127.0.0.1:4566/';
  assert.deepEqual(read({ env }).awsEndpoints, {
    s3: everything,
    sqs: everything,
    sns: everything,
    events: 'http://127.0.0.1:9002/',
  });
});

test('a flag wins over a variable, a variable over the file, the file over the default', () => {
  const file = { region: 'eu-west-1' };
  const env = { LAMBKIN_REGION: 'eu-west-2' };
  const args = [...fromFile, '--region=eu-west-3'];
  assert.equal(read({ args: fromFile, file }).region, 'eu-west-1');
  assert.equal(read({ args: fromFile, file, env }).region, 'eu-west-2');
  assert.equal(read({ args, file, env }).region, 'eu-west-3');
});

test('every setting can be given by its variable, and by its flag where it has one', () => {
  const other: Record<string, string> = {
    listen: '[::1]:0',
    dataDir: 'other',
    auth: 'none',
    accessKeyId: 'AKIDEXAMPLE',
    secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
    token: 'a-token-of-the-operator',
    debugSignatures: 'on',
    accountId: '123456789012',
    region: 'us-gov-west-1',
    publicUrl: 'https://lambda.example.org',
    trustedHosts: 'a.example, B.example',
    'tls.cert': 'c.pem',
    'tls.key': 'k.pem',
    isolation: 'off',
    'isolation.backend': 'uid',
    'isolation.cgroupRoot': '/sys/fs/cgroup/ours',
    python: '/srv/pythons:/opt/python3/bin/python3.12',
    'node.install': 'off',
    searchPath: '/usr/local/bin:/usr/bin',
    functionError: 'classic',
    'pool.idleMs': '1',
    'pool.memoryBudget': '4GiB',
    'pool.generic': '0',
    'dispatch.queueLength': '2',
    'dispatch.queueWaitMs': '3',
    'dispatch.accountConcurrency': '4',
    'dispatch.requestRate': 'on',
    'async.retryBaseSeconds': '10',
    'async.deadLetterSeconds': '11',
    'logs.maxBytesPerGroup': '5MiB',
    'shutdown.graceMs': '6',
    'limits.pids': '17',
    'limits.memoryMib': '256',
    'limits.apiRate': '7',
    'limits.getFunctionRate': '8',
    'limits.getPolicyRate': '9',
    s3Endpoint: 'http://127.0.0.1:9000',
    sqsEndpoint: 'http://127.0.0.1:9324',
    snsEndpoint: 'https://sns.example',
    eventBridgeEndpoint: 'http://127.0.0.1:9002/events',
    awsEndpoint: 'http://127.0.0.1:4566',
  };
  const settings = describeSettings();
  assert.deepEqual(
    settings.map(({ name }) => name),
    Object.keys(other),
  );
  const env = Object.fromEntries(settings.map(({ name, variable }) => [variable, other[name]]));
  const expected: HostConfig = {
    listen: { host: '::1', port: 0 },
    dataDir: '/srv/app/other',
    auth: 'none',
    debugSignatures: true,
    token: 'a-token-of-the-operator',
    admin: {
      accessKeyId: 'AKIDEXAMPLE',
      secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
    },
    accountId: '123456789012',
    region: 'us-gov-west-1',
    publicUrl: 'https://lambda.example.org',
    trustedHosts: ['a.example', 'b.example'],
    tls: { certFile: '/srv/app/c.pem', keyFile: '/srv/app/k.pem' },
    isolation: { mode: 'off', backend: 'uid', cgroupRoot: '/sys/fs/cgroup/ours' },
    python: {
      named: ['/srv/pythons', '/opt/python3/bin/python3.12'],
      searchPath: '/usr/local/bin:/usr/bin',
    },
    node: { install: false, npmEnvironment: { PATH: '/usr/local/bin:/usr/bin' } },
    functionError: 'classic',
    pool: { idleMs: 1, memoryBudgetBytes: 4_096 * MIB, genericSlots: 0 },
    dispatch: { queueLength: 2, queueWaitMs: 3, accountConcurrency: 4, limitsRate: true },
    async: { retryBaseMs: 10_000, keepDeadLettersMs: 11_000 },
    logs: { maxBytesPerGroup: 5 * MIB },
    shutdown: { graceMs: 6 },
    limits: {
      pids: 17,
      memoryMib: 256,
      apiRates: { getFunction: 8, getPolicy: 9, others: 7 },
    },
    awsEndpoints: {
      s3: 'http://127.0.0.1:9000/',
      sqs: 'http://127.0.0.1:9324/',
      sns: 'https://sns.example/',
      events: 'http://127.0.0.1:9002/events',
    },
  };
  assert.deepEqual(read({ env }), expected);
  const args = settings.flatMap(({ name, flag }) =>
    flag === undefined ? [] : [flag, other[name] ?? ''],
  );
  const withoutFlag = settings.filter(({ flag }) => flag === undefined);
  const rest = Object.fromEntries(withoutFlag.map((each) => [each.variable, other[each.name]]));
  assert.deepEqual(read({ args, env: rest }), expected);
  assert.deepEqual(read({ args: fromFile, file: other }), {
    ...expected,
    dataDir: '/srv/app/etc/other',
    tls: { certFile: '/srv/app/etc/c.pem', keyFile: '/srv/app/etc/k.pem' },
  });
});

test('the names that others rely on stay as they are', () => {
  const names = describeSettings().map(({ variable, flag }) => flag ?? variable);
  for (const name of [
    '--listen',
    '--data',
    '--auth',
    '--account-id',
    '--region',
    '--public-url',
    '--tls-cert',
    '--tls-key',
    '--isolation',
    'LAMBKIN_ACCESS_KEY_ID',
    'LAMBKIN_SECRET_ACCESS_KEY',
    'LAMBKIN_TRUSTED_HOSTS',
    'LAMBKIN_FUNCTION_ERROR',
  ])
    assert.ok(names.includes(name), name);
  const variables = describeSettings().map(({ variable }) => variable);
  for (const name of ['LAMBKIN_DATA_DIR', 'LAMBKIN_ISOLATION', 'LAMBKIN_POOL_IDLE_MS'])
    assert.ok(variables.includes(name), name);
});

test('keys of the file may be nested or dotted, and numbers or text', () => {
  const file = { pool: { idleMs: 5, generic: '3' }, 'dispatch.queueLength': 7 };
  const config = read({ args: fromFile, file });
  assert.deepEqual([config.pool.idleMs, config.pool.genericSlots], [5, 3]);
  assert.equal(config.dispatch.queueLength, 7);
});

test('all problems are told in one error', () => {
  const found = problems({
    args: ['--listen', 'nowhere', '--regoin', 'x', 'surplus', ...fromFile],
    env: { LAMBKIN_POOL_IDLEMS: '1', LAMBKIN_AUTH: 'maybe' },
    file: { pool: { idelMs: 1 }, accountId: 1 },
  });
  assert.deepEqual(found.toSorted(), [
    '--listen: must be an address and a port such as 127.0.0.1:9001 or [::1]:9001, not "nowhere"',
    'LAMBKIN_AUTH: must be sigv4 or none, not "maybe"',
    'accountId in /srv/app/etc/lambkin.json: must be text in quotes, not 1',
    'unexpected argument "surplus"',
    'unexpected argument "x"',
    'unknown flag --regoin; did you mean --region?',
    'unknown key pool.idelMs in /srv/app/etc/lambkin.json; did you mean pool.idleMs?',
    'unknown variable LAMBKIN_POOL_IDLEMS; did you mean LAMBKIN_POOL_IDLE_MS?',
  ]);
});

test('of a name whose last word is missing the whole one is meant, not another that looks like it', () => {
  assert.deepEqual(problems({ env: { LAMBKIN_DATA: '/srv' } }), [
    'unknown variable LAMBKIN_DATA; did you mean LAMBKIN_DATA_DIR?',
  ]);
});

test('a name that resembles none is refused without a guess', () => {
  assert.deepEqual(problems({ args: ['--zzzzzzzz'] }), ['unknown flag --zzzzzzzz']);
});

test('variables of other programs and of tests are left alone, empty ones count as not set', () => {
  const env = {
    PATH: '/bin',
    LAMBKIN_TEST_SEED: '1',
    LAMBKIN_REGION: '',
    LAMBKIN_LISTEN: undefined,
  };
  assert.equal(read({ env }).region, 'us-east-1');
});

test('a flag without a value, or given twice, is refused', () => {
  assert.deepEqual(problems({ args: ['--data', '--auth', 'none'] }), [
    '--data needs a value',
    'unexpected argument "none"',
  ]);
  assert.deepEqual(problems({ args: ['--data'] }), ['--data needs a value']);
  assert.deepEqual(problems({ args: ['--data='] }), ['--data: must not be empty']);
  assert.deepEqual(problems({ args: ['--data', 'a', '--data', 'b'] }), ['--data is given twice']);
});

test('a file that cannot be read, parsed or understood is named', () => {
  const unreadable = () => {
    throw new Error('ENOENT: no such file');
  };
  const told = [
    problems({ args: fromFile, readFile: unreadable }),
    problems({ args: fromFile, file: '{' }),
    problems({ args: fromFile, file: [] }),
    problems({ args: fromFile, file: { region: null } }),
    problems({ args: fromFile, file: { pool: { idleMs: 1 }, 'pool.idleMs': 1 } }),
  ];
  for (const each of told) assert.equal(each.length, 1);
  assert.equal(told[0]?.[0], 'cannot read /srv/app/etc/lambkin.json: ENOENT: no such file');
  assert.match(told[1]?.[0] ?? '', /^cannot read \/srv\/app\/etc\/lambkin\.json: .*JSON/);
  assert.equal(told[2]?.[0], '/srv/app/etc/lambkin.json must hold a JSON object');
  assert.match(told[3]?.[0] ?? '', /^region in .*: must be text in quotes, not null$/);
  assert.match(told[4]?.[0] ?? '', /^pool\.idleMs in .* is given twice$/);
});

suite('auth none', () => {
  const listen = (address: string) => problems({ args: ['--auth', 'none', '--listen', address] });

  test('is refused beyond loopback', () => {
    for (const address of ['0.0.0.0:1', '[::]:1', '10.0.0.1:1', 'example.org:1', '128.0.0.1:1'])
      assert.match(listen(address).join(), /^auth none lets anyone who reaches/, address);
  });

  test('is allowed on loopback, however it is written', () => {
    for (const address of [
      '127.0.0.1:1',
      '127.8.9.1:1',
      '[::1]:1',
      '[::ffff:127.0.0.1]:1',
      'localhost:1',
    ])
      assert.deepEqual(listen(address), [], address);
  });

  test('is no matter of the name looking like loopback', () => {
    assert.equal(isLoopbackHost('127.0.0.1.example.org'), false);
    assert.equal(isLoopbackHost('localhost.example.org'), false);
    assert.equal(isLoopbackHost('LOCALHOST'), true);
  });
});

test('an address to listen on needs a port, and IPv6 its brackets', () => {
  for (const address of [
    '::1:9001',
    '127.0.0.1',
    ':9001',
    '9001',
    '[::1]',
    '[127.0.0.1]:1',
    'a:65536',
    'a:b',
    '1.2.3:4',
    'a b:1',
  ])
    assert.equal(problems({ args: ['--listen', address] }).length, 1, address);
});

test('things that belong together are asked for together', () => {
  assert.match(problems({ args: ['--tls-cert', 'c'] }).join(), /belong together/);
  assert.match(problems({ args: ['--tls-key', 'k'] }).join(), /belong together/);
  assert.match(problems({ env: { LAMBKIN_ACCESS_KEY_ID: 'abc' } }).join(), /belong together/);
  assert.match(problems({ env: { LAMBKIN_SECRET_ACCESS_KEY: 'abc' } }).join(), /belong together/);
});

test('a secret is never repeated in an error', () => {
  const secret = 'top secret with blanks';
  const found = problems({
    env: { LAMBKIN_ACCESS_KEY_ID: 'abc', LAMBKIN_SECRET_ACCESS_KEY: secret },
  });
  assert.equal(found.length, 1);
  assert.ok(!found.join().includes('top'));
});

test('the memory budget is bytes, bytes with a unit, or a share', () => {
  const budget = (value: unknown) =>
    read({ args: fromFile, file: { 'pool.memoryBudget': value } }).pool.memoryBudgetBytes;
  assert.equal(budget(200 * MIB), 200 * MIB);
  assert.equal(budget('2 GiB'), 2_048 * MIB);
  assert.equal(budget('50%'), 500 * MIB);
  assert.equal(budget('100%'), 1_000 * MIB);
  for (const bad of ['0%', '101%', '70 %', '5', '127MiB', '-1', '1TB', '', true, 1.5])
    assert.throws(() => budget(bad), ConfigError, String(bad));
});

test('a share is of what the machine really has when nothing else is said', () => {
  const { memoryBudgetBytes } = read({ usableMemoryBytes: undefined }).pool;
  assert.ok(memoryBudgetBytes > 64 * MIB && Number.isSafeInteger(memoryBudgetBytes));
});

test('values out of range are refused', () => {
  for (const [key, value] of [
    ['accountId', '12345678901'],
    ['region', 'us east 1'],
    ['publicUrl', 'https://example.org/path'],
    ['publicUrl', 'ftp://example.org'],
    ['publicUrl', 'https://user@example.org'],
    ['trustedHosts', 'a.example:80'],
    ['trustedHosts', 'a.example,'],
    ['trustedHosts', [1]],
    ['isolation', 'full'],
    ['isolation.backend', 'docker'],
    ['isolation.cgroupRoot', 'off'],
    ['functionError', 'Modern'],
    ['pool.idleMs', -1],
    ['pool.idleMs', 1.5],
    ['pool.generic', '2.0'],
    ['dispatch.accountConcurrency', 0],
    ['logs.maxBytesPerGroup', 1_000],
    ['limits.pids', 0],
    ['limits.memoryMib', 10_241],
    ['limits.apiRate', 0],
    ['limits.apiRate', 'on'],
    ['s3Endpoint', 'minio:9000'],
  ] as const)
    assert.equal(
      problems({ args: fromFile, file: { [key]: value } }).length,
      1,
      `${key} ${JSON.stringify(value)}`,
    );
});

test('the result cannot be changed', () => {
  const config = read({ args: fromFile, file: { trustedHosts: ['a.example'] } });
  for (const part of [config, config.listen, config.pool, config.trustedHosts])
    assert.ok(Object.isFrozen(part));
});

test('the help names every flag once, on a line of its own', () => {
  const lines = helpText()
    .split('\n')
    .filter((line) => line.startsWith('  --'));
  const flags = lines.map((line) => line.trim().split(' ')[0]);
  const known = describeSettings().flatMap(({ flag }) => (flag === undefined ? [] : [flag]));
  assert.deepEqual(flags, [...known, '--config', '--help']);
  assert.equal(read({ args: ['--help'] }).region, 'us-east-1');
});

test('the help names every setting, those without a flag included', () => {
  const lines = helpText().split('\n');
  for (const { variable, name, about } of describeSettings()) {
    const named = lines.filter((line) => line.trim().startsWith(`${variable}  ${name} `));
    assert.equal(named.length, 1, name);
    assert.equal(lines.filter((line) => line.includes(about)).length, 1, name);
  }
});

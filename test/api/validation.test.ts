import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { decodeInput } from '../../host/api/decode.ts';
import { lambdaModel } from '../../host/api/model/model.ts';
import { ServiceError } from '../../host/service-error.ts';
import { request } from '../support/wire-request.ts';

const name = (text: string) => `/2015-03-31/functions/${text}`;
const layerPattern = String.raw`(arn:(aws[a-zA-Z-]*)?:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:layer:[a-zA-Z0-9-_]+:[0-9]+)|(arn:[a-zA-Z0-9-]+:lambda:::awslayer:[a-zA-Z0-9-_]+)`;
const start = String.raw`(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?`;

/** The failures that a request is refused with, in order. */
function failuresOf(method: string, url: string, body?: unknown, headers = {}): string[] {
  const message = messageOf(method, url, body, headers);
  const found = /^(\d+) validation errors? detected: (.*)$/s.exec(message);
  assert.ok(found, message);
  const failures = (found[2] ?? '').split(/; (?=Value )/);
  assert.equal(failures.length, Number(found[1]));
  return failures;
}

function messageOf(method: string, url: string, body?: unknown, headers = {}): string {
  try {
    decodeInput(...request(method, url, body, headers));
  } catch (error) {
    assert.ok(error instanceof ServiceError, String(error));
    assert.equal(error.name, 'ValidationException');
    assert.equal(error.status, 400);
    return error.message;
  }
  assert.fail(`${method} ${url} was accepted`);
}

function accepts(method: string, url: string, body?: unknown, headers = {}): void {
  decodeInput(...request(method, url, body, headers));
}

const one = (failure: string) => `1 validation error detected: ${failure}`;
const update = (body: unknown) => messageOf('PUT', name('f/configuration'), body);

suite('Recorded validation messages', () => {
  test('a role that is not an ARN', () => {
    assert.equal(
      update({ Role: 'r1' }),
      one(
        String.raw`Value 'r1' at 'role' failed to satisfy constraint: Member must satisfy regular expression pattern: arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+`,
      ),
    );
  });

  test('an unknown architecture, and too many of them', () => {
    const code = (Architectures: string[]) => messageOf('PUT', name('f/code'), { Architectures });
    assert.equal(
      code(['X86_64']),
      one(
        "Value '[X86_64]' at 'architectures' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], Member must not be null]",
      ),
    );
    assert.equal(
      code(['x86_64', 'arm64']),
      one(
        "Value '[x86_64, arm64]' at 'architectures' failed to satisfy constraint: Member must have length less than or equal to 1",
      ),
    );
  });

  test('subnets and security groups, without a word on null', () => {
    assert.equal(
      update({ VpcConfig: { SubnetIds: ['net-1'] } }),
      one(
        "Value '[net-1]' at 'vpcConfig.subnetIds' failed to satisfy constraint: Member must satisfy constraint: [Member must have length less than or equal to 1024, Member must have length greater than or equal to 0, Member must satisfy regular expression pattern: subnet-[0-9a-z]*]",
      ),
    );
    assert.equal(
      update({ VpcConfig: { SecurityGroupIds: ['x'] } }),
      one(
        "Value '[x]' at 'vpcConfig.securityGroupIds' failed to satisfy constraint: Member must satisfy constraint: [Member must have length less than or equal to 1024, Member must have length greater than or equal to 0, Member must satisfy regular expression pattern: sg-[0-9a-zA-Z]*]",
      ),
    );
  });

  test('a layer without a version', () => {
    const arn = 'arn:aws:lambda:us-east-1:123456789012:layer:l';
    assert.equal(
      update({ Layers: [arn] }),
      one(
        `Value '[${arn}]' at 'layers' failed to satisfy constraint: Member must satisfy constraint: [Member must have length less than or equal to 2048, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: ${layerPattern}, Member must not be null]`,
      ),
    );
  });

  test('weights above one and for a version that is none', () => {
    const weights = (AdditionalVersionWeights: object) =>
      messageOf('PUT', name('f/aliases/a'), { RoutingConfig: { AdditionalVersionWeights } });
    assert.equal(
      weights({ 2: 2.0 }),
      one(
        "Value '{2=2.0}' at 'routingConfig.additionalVersionWeights' failed to satisfy constraint: Map value must satisfy constraint: [Member must have value less than or equal to 1.0, Member must have value greater than or equal to 0.0, Member must not be null]",
      ),
    );
    assert.equal(
      weights({ $LATEST: 0.5 }),
      one(
        "Value '{$LATEST=0.5}' at 'routingConfig.additionalVersionWeights' failed to satisfy constraint: Map keys must satisfy constraint: [Member must have length less than or equal to 1024, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: [0-9]+]",
      ),
    );
  });

  test('variables, whose values are never shown', () => {
    assert.equal(
      update({ Environment: { Variables: { '1SECRET': 'hunter2' } } }),
      one(
        "Value at 'environment.variables' failed to satisfy constraint: Map keys must satisfy constraint: [Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+]",
      ),
    );
  });

  test('a number that is too small', () => {
    assert.equal(
      messageOf('PUT', '/2019-09-30/functions/f/provisioned-concurrency?Qualifier=1', {
        ProvisionedConcurrentExecutions: 0,
      }),
      one(
        "Value '0' at 'provisionedConcurrentExecutions' failed to satisfy constraint: Member must have value greater than or equal to 1",
      ),
    );
  });

  test('a required member that is missing', () => {
    assert.equal(
      messageOf(
        'DELETE',
        '/2017-03-31/tags/arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Af',
      ),
      one("Value null at 'tagKeys' failed to satisfy constraint: Member must not be null"),
    );
  });

  test('an alias of digits only', () => {
    assert.equal(
      messageOf('POST', name('f/aliases'), { Name: '2024', FunctionVersion: '1' }),
      one(
        "Value '2024' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)",
      ),
    );
  });

  test('runtimes and architectures of a layer, both at once', () => {
    const body = {
      Content: {},
      CompatibleRuntimes: ['invalidruntime'],
      CompatibleArchitectures: ['invalidarch'],
    };
    const failures = failuresOf('POST', '/2018-10-31/layers/l/versions', body);
    const order = lambdaModel.validation.runtimeMessageOrder.join(', ');
    assert.deepEqual(
      new Set(failures),
      new Set([
        `Value '[invalidruntime]' at 'compatibleRuntimes' failed to satisfy constraint: Member must satisfy enum value set: [${order}]`,
        "Value '[invalidarch]' at 'compatibleArchitectures' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], Member must not be null]",
      ]),
    );
  });

  test('the long set of runtimes in the query of the layer lists', () => {
    const order = lambdaModel.validation.layerRuntimeQueryMessageOrder.join(', ');
    for (const path of ['/2018-10-31/layers', '/2018-10-31/layers/l/versions']) {
      assert.equal(
        messageOf('GET', `${path}?CompatibleRuntime=x`),
        one(
          `Value 'x' at 'compatibleRuntime' failed to satisfy constraint: Member must satisfy enum value set: [${order}]`,
        ),
      );
      accepts('GET', `${path}?CompatibleRuntime=byol`);
      accepts('GET', `${path}?CompatibleRuntime=ruby4.0`);
    }
  });

  test('enums in the order in which the service names them', () => {
    assert.equal(
      messageOf('PUT', '/2024-08-31/functions/f/recursion-config', { RecursiveLoop: 'x' }),
      one(
        "Value 'x' at 'recursiveLoop' failed to satisfy constraint: Member must satisfy enum value set: [Terminate, Allow]",
      ),
    );
    assert.equal(
      messageOf('POST', name('f/invocations'), undefined, { 'x-amz-invocation-type': 'X' }),
      one(
        "Value 'X' at 'invocationType' failed to satisfy constraint: Member must satisfy enum value set: [Event, RequestResponse, DryRun]",
      ),
    );
  });

  test('a page size above fifty', () => {
    assert.equal(
      messageOf('GET', '/2018-10-31/layers?MaxItems=51'),
      one(
        "Value '51' at 'maxItems' failed to satisfy constraint: Member must have value less than or equal to 50",
      ),
    );
  });

  test('function names in the spelling of each operation', () => {
    const tail = (q: string, dotted: string) =>
      `([a-zA-Z0-9-_${dotted}]+)(:(${q}|[a-zA-Z0-9-_]+))?`;
    assert.equal(
      messageOf('GET', `${name('a!')}/aliases`),
      one(
        `Value 'a!' at 'functionName' failed to satisfy constraint: Member must satisfy regular expression pattern: ${start}${tail(String.raw`\$LATEST`, '')}`,
      ),
    );
    assert.equal(
      messageOf('GET', name('a!')),
      one(
        `Value 'a!' at 'functionName' failed to satisfy constraint: Member must satisfy regular expression pattern: ${start}${tail(String.raw`\$LATEST(\.PUBLISHED)?`, String.raw`\.`)}`,
      ),
    );
  });
});

suite('Layer 1', () => {
  test('reports pattern before length and members in the order of the model', () => {
    const failures = failuresOf('PUT', name(`${'!'.repeat(141)}/configuration`), {
      Timeout: 0,
      Handler: ' ',
    });
    assert.deepEqual(
      failures.map((failure) =>
        / at ('\w+') failed .* Member must (\w+ \w+)/.exec(failure)?.slice(1),
      ),
      [
        ["'functionName'", 'satisfy regular'],
        ["'functionName'", 'have length'],
        ["'handler'", 'satisfy regular'],
        ["'timeout'", 'have value'],
      ],
    );
  });

  test('refuses an empty label', () => {
    const [pattern, length] = failuresOf('GET', name('/configuration'));
    assert.match(pattern ?? '', /^Value '' at 'functionName' failed .* pattern: /);
    assert.match(length ?? '', /Member must have length greater than or equal to 1$/);
  });

  test('goes into structures and names the place of a structure in a list', () => {
    const pattern = 'x'.repeat(4097);
    const body = {
      FunctionName: 'f',
      FilterCriteria: { Filters: [{}, { Pattern: pattern }, null] },
    };
    assert.deepEqual(failuresOf('POST', '/2015-03-31/event-source-mappings', body), [
      `Value '${pattern}' at 'filterCriteria.filters.2.member.pattern' failed to satisfy constraint: Member must have length less than or equal to 4096`,
      "Value null at 'filterCriteria.filters.3.member' failed to satisfy constraint: Member must not be null",
    ]);
  });

  test('asks for required members of nested structures that are there', () => {
    assert.equal(
      update({ EphemeralStorage: {} }),
      one(
        "Value null at 'ephemeralStorage.size' failed to satisfy constraint: Member must not be null",
      ),
    );
    accepts('PUT', name('f/configuration'), {});
  });

  test('prints structures with all their members', () => {
    const message = update({
      FileSystemConfigs: [1, 2].map((n) => ({
        Arn: `arn:aws:elasticfilesystem:us-east-1:123456789012:access-point/fsap-0123456789abcdef${n}`,
        LocalMountPath: `/mnt/${n}`,
      })),
    });
    const shown = [1, 2].map(
      (n) =>
        `FileSystemConfig(arn=arn:aws:elasticfilesystem:us-east-1:123456789012:access-point/fsap-0123456789abcdef${n}, localMountPath=/mnt/${n})`,
    );
    assert.equal(
      message,
      one(
        `Value '[${shown.join(', ')}]' at 'fileSystemConfigs' failed to satisfy constraint: Member must have length less than or equal to 1`,
      ),
    );
  });

  test('lists all constraints of lists that are values of a map', () => {
    const [failure] = failuresOf('POST', '/2015-03-31/event-source-mappings', {
      FunctionName: 'f',
      SelfManagedEventSource: { Endpoints: { KAFKA_BOOTSTRAP_SERVERS: ['no port'] } },
    });
    assert.match(
      failure ?? '',
      /^Value '\{KAFKA_BOOTSTRAP_SERVERS=\[no port\]\}' at 'selfManagedEventSource\.endpoints' failed to satisfy constraint: Map value must satisfy constraint: \[Member must have length less than or equal to 10, Member must have length greater than or equal to 1, Member must satisfy constraint: \[Member must have length less than or equal to 300, .*, Member must not be null\], Member must not be null\]$/,
    );
  });

  test('refuses null as an element and as a value of a map', () => {
    assert.match(
      update({ Layers: [null] }),
      /^1 validation error detected: Value '\[null\]' at 'layers' /,
    );
    assert.equal(
      update({ Environment: { Variables: { KEY: null } } }),
      one(
        "Value at 'environment.variables' failed to satisfy constraint: Map value must satisfy constraint: [Member must not be null]",
      ),
    );
  });

  test('leaves sensitive values out wherever they stand', () => {
    const secret = 'hunter2'.repeat(1000);
    const body = { ErrorMessage: secret, StackTrace: [secret, null] };
    const message = messageOf('POST', '/2025-12-01/durable-execution-callbacks/aGk%3D/fail', body);
    assert.equal(
      message,
      one(
        "Value at 'error.stackTrace' failed to satisfy constraint: Member must satisfy constraint: [Member must not be null]",
      ),
    );
  });

  test('counts UTF-16 units, as the service does', () => {
    accepts('PUT', name('f/configuration'), { Description: '😀'.repeat(128) });
    assert.match(update({ Description: '😀'.repeat(129) }), /less than or equal to 256$/);
  });

  test('takes keys that are names of Object.prototype as any other key', () => {
    const arn = 'arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Af';
    const tags = JSON.parse(
      '{"Tags":{"__proto__":"a","constructor":"b","toString":"c"}}',
    ) as unknown;
    accepts('POST', `/2017-03-31/tags/${arn}`, tags);
    accepts('POST', `/2017-03-31/tags/${arn}`, '{"Tags":{"__proto__":"a"}}');
    const bad = `{"Tags":{"__proto__":"${'v'.repeat(257)}"}}`;
    assert.match(
      messageOf('POST', `/2017-03-31/tags/${arn}`, bad),
      /at 'tags' failed .* Map value must/,
    );
    assert.match(
      update('{"Environment":{"Variables":{"__proto__":"x"}}}'),
      /Map keys must satisfy/,
    );
  });

  test('leaves to the operation what the operation checks', () => {
    const create = {
      FunctionName: 'x'.repeat(65),
      Role: 'arn:aws:iam::123456789012:role/r',
      Code: {},
      Runtime: 'no-such-runtime',
      MemorySize: 32_768,
      Timeout: 5400,
    };
    accepts('POST', '/2015-03-31/functions', create);
    accepts('PUT', name('f/configuration'), { Runtime: 'arn:aws:lambda:us-east-1::runtime:x' });
    accepts('POST', '/2015-03-31/event-source-mappings', {
      FunctionName: 'f',
      EventSourceArn: 'arn:aws:sqs:us-east-1:123456789012:q',
    });
  });

  test('does not match an absurdly long text against its pattern', () => {
    const failures = failuresOf('POST', '/2015-03-31/event-source-mappings', {
      FunctionName: 'a!'.repeat(5_000_000),
    });
    assert.equal(failures.length, 1);
    assert.match(failures[0] ?? '', /less than or equal to 256$/);
  });

  test('refuses an absurdly long variable name, which has no maximum', () => {
    const message = update({ Environment: { Variables: { ['a'.repeat(10_000_000)]: '' } } });
    assert.match(
      message,
      /^1 validation error detected: Value at 'environment\.variables' failed .* Map keys must/,
    );
  });
});

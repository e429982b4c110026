// Invoke with RequestResponse, and DryRun: what goes to the handler, what comes back, byte for byte and header for header.
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import {
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionUpdatedV2,
} from '@aws-sdk/client-lambda';
import { exchange } from '../support/exchange.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';

const ARN = 'arn:aws:lambda:us-east-1:000000000000:function:echo';
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

const ECHO = `export const handler = async (event, context) => ({
  event,
  text: JSON.stringify(event),
  id: context.awsRequestId,
  arn: context.invokedFunctionArn,
  client: context.clientContext,
  trace: context.xRayTraceId,
  traceVariable: process.env._X_AMZN_TRACE_ID,
  version: context.functionVersion,
  remaining: context.getRemainingTimeInMillis(),
});`;

/** Answers what the event names, through the runtime's own serialisation. */
const ANSWERS = `const results = {
  undefined, null: null, text: 'ä😀\\u2028"', number: -0.5, list: [], true: true,
};
export const handler = async ({ name }) => results[name];
export const ran = async () => { throw new Error('it ran'); };`;

/** Without those that every HTTP answer has. */
function ownHeaders(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const ofHttp = ['date', 'connection', 'keep-alive'];
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !ofHttp.includes(name)));
}

interface Echoed {
  readonly event: unknown;
  readonly text: string;
  readonly id: string;
  readonly arn: string;
  readonly client?: unknown;
  readonly trace: string;
  readonly traceVariable: string;
  readonly version: string;
  readonly remaining: number;
}

suite('an invocation', () => {
  let t: TestHost;

  before(async () => {
    t = await startTestHost();
    await Promise.all([
      t.deploy('echo', { 'index.mjs': ECHO }, { Timeout: 60 }),
      t.deploy('answers', { 'index.mjs': ANSWERS }),
      t.deploy('ran', { 'index.mjs': ANSWERS }, { Handler: 'index.ran' }),
    ]);
  });
  after(() => t[Symbol.asyncDispose]());

  async function echoed(payload: string, headers = {}): Promise<Echoed> {
    const answer = await exchange(t.client, { FunctionName: 'echo', Payload: payload }, headers);
    return JSON.parse(answer.text) as Echoed; // what the fixture above returns
  }

  test('answers with the headers of the service and no others', async () => {
    const answer = await exchange(t.client, { FunctionName: 'echo', Payload: '{"a":1}' });
    assert.equal(answer.status, 200);
    const { 'x-amzn-trace-id': trace, ...rest } = ownHeaders(answer.headers);
    const { id, trace: seenTrace } = JSON.parse(answer.text) as Echoed;
    assert.match(id, UUID);
    assert.deepEqual(rest, {
      'content-type': 'application/json',
      'content-length': String(answer.payload.length),
      'x-amz-executed-version': '$LATEST',
      'x-amzn-remapped-content-length': '0',
      'x-amzn-requestid': id,
    });
    assert.match(
      trace ?? '',
      /^root=1-[0-9a-f]{8}-[0-9a-f]{24};parent=[0-9a-f]{16};sampled=0;lineage=1:[0-9a-f]{8}:0$/,
    );
    assert.equal(seenTrace.toLowerCase(), trace);
  });

  test('uses the request id that the caller brings, if it is a UUID', async () => {
    const id = '01234567-89AB-cdef-0123-456789abcdef';
    const seen = await echoed('{}', { 'x-amzn-requestid': id });
    assert.equal(seen.id, id.toLowerCase());
    await assert.rejects(
      exchange(t.client, { FunctionName: 'echo' }, { 'x-amzn-requestid': 'mine' }),
      {
        name: 'InvalidRequestContentException',
        message: "The request id 'mine' is not a valid UUID string.",
      },
    );
  });

  for (const payload of [
    '{"a":[1,2,{"b":null}],"":"ä😀"}',
    ' \t\n"text"\r\n',
    'null',
    'true',
    '-1.5e+300',
    '[]',
    JSON.stringify({ long: 'é'.repeat(100_000) }),
  ])
    test(`hands on ${payload.slice(0, 20)} as it is`, async () => {
      const { event } = await echoed(payload);
      assert.deepEqual(event, JSON.parse(payload));
    });

  test('hands on an empty object for an empty payload', async () => {
    assert.equal((await echoed('')).text, '{}');
    const without = await exchange(t.client, { FunctionName: 'echo' });
    assert.deepEqual((JSON.parse(without.text) as Echoed).event, {});
  });

  test('brings back what JSON.stringify makes, unchanged', async () => {
    const bytes = async (name: string) => {
      const Payload = JSON.stringify({ name });
      return (await exchange(t.client, { FunctionName: 'answers', Payload })).text;
    };
    assert.equal(await bytes('undefined'), 'null');
    assert.equal(await bytes('null'), 'null');
    assert.equal(await bytes('text'), '"ä😀\u2028\\""');
    assert.equal(await bytes('number'), '-0.5');
    assert.equal(await bytes('list'), '[]');
    assert.equal(await bytes('true'), 'true');
  });

  test('carries the client context', async () => {
    const context = { custom: { k: 'ü' }, env: {} };
    const ClientContext = Buffer.from(JSON.stringify(context)).toString('base64');
    const answer = await exchange(t.client, { FunctionName: 'echo', ClientContext });
    assert.deepEqual((JSON.parse(answer.text) as Echoed).client, context);
    assert.equal('client' in (await echoed('{}')), false, 'of an earlier invocation');
  });

  for (const [what, text] of [
    ['no base64', '!!!'],
    ['no JSON', Buffer.from('{').toString('base64')],
    ['no object', Buffer.from('1').toString('base64')],
  ] as const)
    test(`refuses a client context that is ${what}`, async () => {
      await assert.rejects(exchange(t.client, { FunctionName: 'echo', ClientContext: text }), {
        name: 'InvalidRequestContentException',
        message: 'Client context must be a valid Base64-encoded JSON object.',
      });
    });

  test('refuses a client context above 3583 bytes', async () => {
    const ClientContext = Buffer.from(JSON.stringify({ k: 'x'.repeat(3000) })).toString('base64');
    await assert.rejects(exchange(t.client, { FunctionName: 'echo', ClientContext }), {
      name: 'InvalidParameterValueException',
      message: 'Client context must be smaller than or equal to 3583 bytes',
    });
  });

  test("passes on the caller's trace header with the invocation counted in it, with lower-case keys in the answer", async () => {
    const header = 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1';
    const answer = await exchange(
      t.client,
      { FunctionName: 'echo' },
      { 'X-Amzn-Trace-Id': header },
    );
    const seen = JSON.parse(answer.text) as Echoed;
    const [, lineage = ''] = seen.trace.split(`${header};Lineage=`);
    assert.match(lineage, /^1:[0-9a-f]{8}:0$/);
    assert.equal(seen.traceVariable, seen.trace);
    assert.equal(
      answer.headers['x-amzn-trace-id'],
      `root=1-5759e988-bd862e3fe1be46a994272793;parent=53995c3f42cd8ad8;sampled=1;lineage=${lineage}`,
    );
  });

  test('an absurdly long trace header harms nobody', async () => {
    const seen = await echoed('{}', { 'X-Amzn-Trace-Id': `Root=${'1'.repeat(200_000)}` });
    assert.match(seen.trace, /^Root=1-[0-9a-f]{8}-/);
    assert.equal((await echoed('1')).event, 1);
  });

  test('an active tracing configuration samples', async () => {
    await t.deploy('traced', { 'index.mjs': ECHO }, { TracingConfig: { Mode: 'Active' } });
    const answer = await exchange(t.client, { FunctionName: 'traced' });
    assert.match((JSON.parse(answer.text) as Echoed).trace, /;Sampled=1;/);
  });

  for (const [name, arn] of [
    ['echo', ARN],
    ['000000000000:function:echo', ARN],
    [ARN, ARN],
    ['echo:$LATEST', `${ARN}:$LATEST`],
    [`${ARN}:$LATEST`, `${ARN}:$LATEST`],
  ] as const)
    test(`tells the function that it was called as ${arn} when the caller writes ${name}`, async () => {
      const answer = await exchange(t.client, { FunctionName: name });
      const seen = JSON.parse(answer.text) as Echoed;
      assert.equal(seen.arn, arn);
      assert.equal(seen.version, '$LATEST');
    });

  test('a qualifier in the query counts as given', async () => {
    const answer = await exchange(t.client, { FunctionName: 'echo', Qualifier: '$LATEST' });
    assert.equal((JSON.parse(answer.text) as Echoed).arn, `${ARN}:$LATEST`);
  });

  test('has the time that its configuration gives it', async () => {
    const { remaining } = await echoed('{}');
    assert.ok(remaining > 50_000 && remaining <= 60_000, String(remaining));
    await t.client.send(
      new UpdateFunctionConfigurationCommand({ FunctionName: 'echo', Timeout: 900 }),
    );
    // Until the update is done, invocations run the old configuration.
    await waitUntilFunctionUpdatedV2(
      { client: t.client, maxWaitTime: 30, minDelay: 0.02, maxDelay: 0.1 },
      { FunctionName: 'echo' },
    );
    const later = await echoed('{}');
    assert.ok(later.remaining > 800_000 && later.remaining <= 900_000, String(later.remaining));
  });

  test('DryRun answers 204 and runs nothing', async () => {
    const answer = await exchange(t.client, {
      FunctionName: 'ran',
      InvocationType: 'DryRun',
      LogType: 'Tail',
    });
    assert.equal(answer.status, 204);
    assert.equal(answer.payload.length, 0);
    assert.deepEqual(Object.keys(ownHeaders(answer.headers)), ['x-amzn-requestid']);
    await assert.rejects(
      exchange(t.client, { FunctionName: 'missing', InvocationType: 'DryRun' }),
      {
        name: 'ResourceNotFoundException',
        message: `Function not found: ${ARN.replace('echo', 'missing')}:$LATEST`,
      },
    );
  });
});

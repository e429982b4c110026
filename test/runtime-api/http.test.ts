// The Runtime API as a runtime sees it: paths, headers, statuses and bodies.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { suite, test } from 'node:test';
import { MAX_RESPONSE_BYTES } from '../../runtime/environment/platform-error.ts';
import { waitFor } from '../support/wait-for.ts';
import { eventOf, ID, type OpenApi, OTHER_ID, openApi, type Sent } from './support.ts';

const NEXT = '/2018-06-01/runtime/invocation/next';
const RESPONSE = `/2018-06-01/runtime/invocation/${ID}/response`;
const ERROR = `/2018-06-01/runtime/invocation/${ID}/error`;
const INIT_ERROR = '/2018-06-01/runtime/init/error';
const RESTORE_NEXT = '/2018-06-01/runtime/restore/next';
const RESTORE_ERROR = '/2018-06-01/runtime/restore/error';

const OK = '{"status":"OK"}';

function refusalText(errorType: string, errorMessage: string): string {
  return JSON.stringify({ errorMessage, errorType });
}

function transition(from: string, to: string): string {
  return refusalText(
    'InvalidStateTransition',
    `State transition from ${from} to ${to} failed for runtime. Error: State transition is not allowed`,
  );
}

/** With an event delivered, which is to be answered now. */
async function running(): Promise<OpenApi> {
  const api = await openApi();
  api.session.invoke(eventOf());
  await api.send('GET', NEXT);
  return api;
}

async function expectReply(
  api: OpenApi,
  [method, path, sent]: readonly [string, string, Sent?],
  status: number,
  text: string,
): Promise<void> {
  const answer = await api.send(method, path, sent);
  assert.deepEqual({ status: answer.status, text: answer.text }, { status, text });
  if (text.startsWith('{')) assert.equal(answer.headers['content-type'], 'application/json');
}

function open({ address }: OpenApi): Socket {
  const [host = '', port = ''] = address.split(':');
  return connect(Number(port), host);
}

function outcomeOf({ messages }: OpenApi) {
  const answers = messages.filter((message) => message.kind === 'answer');
  assert.equal(answers.length, 1);
  return answers[0]?.outcome;
}

suite('the next event', () => {
  test('comes with its bytes and all headers that have a value', async () => {
    await using api = await openApi();
    const payload = Buffer.from('{"text":"añ"}');
    api.session.invoke(
      eventOf({
        payload,
        traceId: 'Root=1-2-3;Sampled=0',
        clientContext: '{"custom":{"a":"ñ\\n"}}\n',
        tenantId: 'blue',
      }),
    );
    const { status, headers, text } = await api.send('GET', NEXT);
    assert.equal(status, 200);
    assert.equal(text, payload.toString());
    assert.equal(headers['content-type'], 'application/json');
    assert.equal(headers['lambda-runtime-aws-request-id'], ID);
    assert.equal(headers['lambda-runtime-invocation-id'], 'attempt-1');
    assert.equal(headers['lambda-runtime-deadline-ms'], '1700000003000');
    assert.equal(
      headers['lambda-runtime-invoked-function-arn'],
      'arn:aws:lambda:us-east-1:000000000000:function:f',
    );
    assert.equal(headers['lambda-runtime-trace-id'], 'Root=1-2-3;Sampled=0');
    assert.equal(headers['lambda-runtime-aws-tenant-id'], 'blue');
    const context = Buffer.from(String(headers['lambda-runtime-client-context']), 'latin1');
    assert.equal(context.toString(), '{"custom":{"a":"ñ\\n"}}');
  });

  test('has no header for what is absent', async () => {
    await using api = await openApi();
    api.session.invoke(eventOf());
    const { headers } = await api.send('GET', NEXT);
    for (const name of ['trace-id', 'client-context', 'cognito-identity', 'aws-tenant-id'])
      assert.equal(headers[`lambda-runtime-${name}`], undefined);
  });

  test('is waited for, and the first call for it is the end of init', async () => {
    await using api = await openApi();
    const answer = api.send('GET', NEXT);
    await waitFor('the runtime waits', () => api.session.state === 'Ready');
    assert.deepEqual(api.messages, [{ kind: 'ready', maxRssKib: 42 }]);
    api.session.invoke(eventOf());
    assert.equal((await answer).text, '{"a":1}');
  });

  test('asked for again before it is answered, is the same one', async () => {
    await using api = await running();
    const { text, headers } = await api.send('GET', NEXT);
    assert.equal(text, '{"a":1}');
    assert.equal(headers['lambda-runtime-invocation-id'], 'attempt-1');
  });

  test('goes to the call that still waits, not to one that has hung up', async () => {
    await using api = await openApi();
    const gone = open(api);
    gone.write(`GET ${NEXT} HTTP/1.1\r\nHost: h\r\n\r\n`);
    await waitFor('the first one waits', () => api.session.state === 'Ready');
    gone.destroy();
    const answer = api.send('GET', NEXT);
    await waitFor('only the second one waits', () => api.session.waiting === 1);
    api.session.invoke(eventOf());
    assert.equal((await answer).text, '{"a":1}');
  });
});

suite('a result', () => {
  test('is accepted, and the invocation goes on until the next event is asked for', async () => {
    await using api = await running();
    await expectReply(api, ['POST', RESPONSE, { body: '{"b":2}' }], 202, OK);
    assert.deepEqual(outcomeOf(api), { kind: 'returned', payload: Buffer.from('{"b":2}') });
    assert.equal(api.messages.at(-1)?.kind, 'answer');
    void api.send('GET', NEXT).catch(() => {}); // ends with the listener
    await waitFor('it is free', () => api.messages.at(-1)?.kind === 'free');
  });

  test('may have 6,291,556 bytes and no more', async () => {
    for (const [more, status] of [
      [0, 202],
      [1, 413],
    ] as const) {
      for (const chunked of [false, true]) {
        await using api = await running();
        const bytes = Buffer.alloc(MAX_RESPONSE_BYTES + more, 'a');
        const body = chunked ? [bytes.subarray(0, 99), bytes.subarray(99)] : bytes;
        const answer = await api.send('POST', RESPONSE, { body });
        assert.equal(answer.status, status);
        if (status === 202) continue;
        assert.equal(
          answer.text,
          refusalText(
            'RequestEntityTooLarge',
            'Exceeded maximum allowed payload size (6291556 bytes).',
          ),
        );
        const outcome = outcomeOf(api);
        assert.equal(
          outcome?.kind === 'platformError' && outcome.errorType,
          'Function.ResponseSizeTooLarge',
        );
        assert.equal(api.session.state, 'RuntimeResponseSentState', 'the runtime may go on');
      }
    }
  });

  test('may be streamed in chunks', async () => {
    await using api = await running();
    const sent = {
      headers: {
        'Lambda-Runtime-Function-Response-Mode': 'streaming',
        Trailer: 'Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body',
      },
      body: ['{"b"', ':', '2}'],
    };
    await expectReply(api, ['POST', RESPONSE, sent], 202, OK);
    assert.deepEqual(outcomeOf(api), { kind: 'returned', payload: Buffer.from('{"b":2}') });
  });

  test('that breaks off with an error in its trailers is that error', async () => {
    await using api = await running();
    const body = Buffer.from('{"errorMessage":"half-way"}');
    const sent = {
      headers: {
        'Lambda-Runtime-Function-Response-Mode': 'streaming',
        Trailer: 'Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body',
      },
      body: ['some', 'thing'],
      trailers: {
        'Lambda-Runtime-Function-Error-Type': 'Function.Broken',
        'Lambda-Runtime-Function-Error-Body': body.toString('base64'),
      },
    };
    await expectReply(api, ['POST', RESPONSE, sent], 202, OK);
    assert.deepEqual(outcomeOf(api), {
      kind: 'functionError',
      errorType: 'Function.Broken',
      payload: body,
    });
  });

  test('in a mode that there is not is refused, and the caller hears of it', async () => {
    await using api = await running();
    const sent = { headers: { 'Lambda-Runtime-Function-Response-Mode': 'semaphore' }, body: '1' };
    const text = refusalText('InvalidFunctionResponseMode', 'Invalid function response mode');
    await expectReply(api, ['POST', RESPONSE, sent], 400, text);
    const outcome = outcomeOf(api);
    assert.equal(
      outcome?.kind === 'platformError' && outcome.errorType,
      'Runtime.InvalidResponseModeHeader',
    );
  });

  test('for another request is refused, and the running one is untouched', async () => {
    await using api = await running();
    const text = refusalText('InvalidRequestID', 'Invalid request ID');
    for (const what of ['response', 'error']) {
      const path = `/2018-06-01/runtime/invocation/${OTHER_ID}/${what}`;
      await expectReply(api, ['POST', path, { body: '1' }], 400, text);
    }
    await expectReply(api, ['POST', RESPONSE, { body: '1' }], 202, OK);
  });

  test('of another attempt at the same request is refused; one that names its own or none is not', async () => {
    for (const [attempt, status] of [
      ['attempt-0', 400],
      ['attempt-1', 202],
    ] as const) {
      await using api = await running();
      const sent = { headers: { 'Lambda-Runtime-Invocation-Id': attempt }, body: '1' };
      const text =
        status === 202 ? OK : refusalText('InvalidInvocationId', 'Invalid invocation ID');
      await expectReply(api, ['POST', RESPONSE, sent], status, text);
    }
  });

  test('that nobody waits for is refused', async () => {
    await using api = await openApi();
    const to = (from: string) => transition(from, 'InvocationResponse');
    const noSuchId = refusalText('InvalidRequestID', 'Invalid request ID');
    await expectReply(api, ['POST', RESPONSE, { body: '1' }], 400, noSuchId);
    api.session.invoke(eventOf());
    await api.send('GET', NEXT);
    await api.send('POST', RESPONSE, { body: '1' });
    await expectReply(api, ['POST', RESPONSE, { body: '2' }], 403, to('RuntimeResponseSentState'));
    const error = transition('RuntimeResponseSentState', 'InvocationErrorResponse');
    await expectReply(api, ['POST', ERROR, { body: '2' }], 403, error);
    assert.deepEqual(outcomeOf(api), { kind: 'returned', payload: Buffer.from('1') });
  });

  for (const isEnding of [false, true])
    test(`that is cut off ${isEnding ? 'by the end of the process is left to that' : 'is an error of its own'}`, async () => {
      let asked = 0;
      await using api = await openApi({
        isEnding: () => {
          asked += 1;
          return Promise.resolve(isEnding);
        },
      });
      api.session.invoke(eventOf());
      await api.send('GET', NEXT);
      const socket = open(api);
      socket.write(`POST ${RESPONSE} HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nhalf`);
      await waitFor('the result has begun', () => api.session.state === 'InvocationResponse');
      socket.destroy();
      await once(socket, 'close');
      await waitFor('the end is noticed', () => asked === 1);
      if (isEnding)
        assert.deepEqual(
          api.messages.map(({ kind }) => kind),
          ['ready'],
        );
      else {
        await waitFor('it is answered', () => api.messages.some(({ kind }) => kind === 'answer'));
        const outcome = outcomeOf(api);
        assert.equal(
          outcome?.kind === 'platformError' && outcome.errorType,
          'Runtime.TruncatedResponse',
        );
      }
    });
});

suite('an error', () => {
  test('is what its header and body say', async () => {
    await using api = await running();
    const body = '{"errorMessage":"no","errorType":"Odd","stackTrace":[]}';
    const headers = {
      'Lambda-Runtime-Function-Error-Type': 'Function.Odd',
      'Lambda-Runtime-Function-XRay-Error-Cause': JSON.stringify({ text: 'x'.repeat(60_000) }),
    };
    await expectReply(api, ['POST', ERROR, { headers, body }], 202, OK);
    const payload = Buffer.from(body);
    assert.deepEqual(outcomeOf(api), { kind: 'functionError', errorType: 'Function.Odd', payload });
  });

  test('with a cause for X-Ray in its body reaches the caller without that', async () => {
    for (const [sent, got] of [
      [
        '{"errorMessage":"no","errorType":"Odd","stackTrace":["a"],"errorCause":{"x":1}}',
        '{"errorMessage":"no","errorType":"Odd","stackTrace":["a"]}',
      ],
      ['no JSON', 'no JSON'],
      ['null', 'null'],
    ] as const) {
      await using api = await running();
      const headers = { 'Content-Type': 'application/vnd.aws.lambda.error.cause+json' };
      await expectReply(api, ['POST', ERROR, { headers, body: sent }], 202, OK);
      const payload = Buffer.from(got);
      assert.deepEqual(outcomeOf(api), { kind: 'functionError', errorType: '', payload });
    }
  });
});

suite('init and restore', () => {
  const headers = { 'Lambda-Runtime-Function-Error-Type': 'Runtime.Broken' };
  const body = '{"errorMessage":"broken"}';
  const failed = {
    kind: 'initFailed',
    errorType: 'Runtime.Broken',
    payload: Buffer.from(body),
    maxRssKib: 42,
  };

  test('an error before the first event is asked for ends the init', async () => {
    await using api = await openApi();
    await expectReply(api, ['POST', INIT_ERROR, { headers, body }], 202, OK);
    assert.deepEqual(api.messages, [failed]);
    await expectReply(api, ['GET', NEXT], 403, transition('InitError', 'Ready'));
    await expectReply(
      api,
      ['POST', INIT_ERROR, { body }],
      403,
      transition('InitError', 'InitError'),
    );
  });

  test('is taken once: what others post meanwhile is not even kept', async () => {
    await using api = await openApi();
    const socket = open(api);
    socket.write(`POST ${INIT_ERROR} HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{`);
    await waitFor('the begin of an error', () => api.session.state === 'InitError');
    const refused = transition('InitError', 'InitError');
    await expectReply(api, ['POST', INIT_ERROR, { headers, body }], 403, refused);
    assert.deepEqual(api.messages, []);
    socket.write('}');
    await waitFor('the error', () => api.messages.length === 1);
    socket.destroy();
  });

  test('is too late afterwards', async () => {
    await using api = await running();
    await expectReply(api, ['POST', INIT_ERROR, { body }], 403, transition('Running', 'InitError'));
  });

  test('a runtime that is ready for a snapshot is restored at once', async () => {
    await using api = await openApi();
    await expectReply(api, ['GET', RESTORE_NEXT], 200, '');
    api.session.invoke(eventOf());
    assert.equal((await api.send('GET', NEXT)).text, '{"a":1}');
    assert.deepEqual(api.messages, [{ kind: 'ready', maxRssKib: 42 }]);
    await expectReply(api, ['GET', RESTORE_NEXT], 403, transition('Running', 'RestoreReady'));
  });

  test('a hook that fails after it ends the init', async () => {
    await using api = await openApi();
    const early = transition('Started', 'RestoreError');
    await expectReply(api, ['POST', RESTORE_ERROR, { body }], 403, early);
    await api.send('GET', RESTORE_NEXT);
    await expectReply(api, ['POST', RESTORE_ERROR, { headers, body }], 202, OK);
    assert.deepEqual(api.messages, [failed]);
  });
});

suite('other requests', () => {
  test('to paths and versions that there are not are not found', async () => {
    await using api = await openApi();
    for (const path of [
      '/',
      '/2018-06-02/runtime/invocation/next',
      '/2018-06-01/runtime/invocation/next/',
      '/2018-06-01/runtime/invocation//response',
      '/2021-04-23/credentials',
    ])
      await expectReply(api, ['GET', path], 404, '404 page not found\n');
  });

  test('with the wrong method are refused', async () => {
    await using api = await openApi();
    await expectReply(api, ['POST', NEXT, { body: '1' }], 405, '');
    await expectReply(api, ['GET', RESPONSE], 405, '');
  });

  test('ping', async () => {
    await using api = await openApi();
    await expectReply(api, ['GET', '/2018-06-01/ping'], 200, 'pong');
  });

  test('of anybody else are not answered with a byte', async () => {
    await using api = await openApi({ isPeer: () => Promise.resolve(false) });
    api.session.invoke(eventOf());
    await assert.rejects(api.send('GET', NEXT), { code: 'ECONNRESET' });
    assert.equal(api.session.state, 'Started');
  });

  test('are not answered either when nobody can say whose they are', async () => {
    await using api = await openApi({ isPeer: () => Promise.reject(new Error('no /proc')) });
    await assert.rejects(api.send('GET', NEXT), { code: 'ECONNRESET' });
    assert.deepEqual(api.problems, ['a connection to a Runtime API could not be checked']);
  });

  test('on one connection are checked once', async () => {
    let checks = 0;
    await using api = await openApi({
      isPeer: () => {
        checks += 1;
        return Promise.resolve(true);
      },
    });
    const socket = open(api);
    let text = '';
    socket.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    for (let round = 1; round <= 3; round += 1) {
      socket.write('GET /2018-06-01/ping HTTP/1.1\r\nHost: h\r\n\r\n');
      await waitFor(`pong ${round}`, () => text.split('pong').length === round + 1);
    }
    socket.destroy();
    assert.equal(checks, 1);
  });

  test('that are sent on and on without waiting for answers end their connection', async () => {
    await using api = await openApi();
    const socket = open(api);
    socket.on('error', () => {}); // it may be reset with requests unread
    socket.write(`GET ${NEXT} HTTP/1.1\r\nHost: h\r\n\r\n`.repeat(10_000));
    await waitFor('its end', () => socket.closed);
    await waitFor('nobody to wait', () => api.session.waiting === 0);
    api.session.invoke(eventOf());
    assert.equal((await api.send('GET', NEXT)).text, '{"a":1}');
  });
});

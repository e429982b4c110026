// The Extensions API as an extension sees it: registering, events, failures, and every refusal with its text.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type OpenApi, openApi, type Sent } from '../runtime-api/support.ts';
import { waitFor } from '../support/wait-for.ts';

const REGISTER = '/2020-01-01/extension/register';
const NEXT = '/2020-01-01/extension/event/next';
const INIT_ERROR = '/2020-01-01/extension/init/error';
const EXIT_ERROR = '/2020-01-01/extension/exit/error';

const BOTH = JSON.stringify({ events: ['INVOKE', 'SHUTDOWN'] });
const UNKNOWN = '3f0f0b6c-6a3e-4f4e-9f3e-0d6a3c8f0a11';

async function expectRefusal(
  api: OpenApi,
  [method, path, sent]: readonly [string, string, Sent?],
  errorType: string,
  errorMessage: string | RegExp,
): Promise<void> {
  const { status, text } = await api.send(method, path, sent);
  assert.equal(status, 403, text);
  const body = JSON.parse(text) as { errorType: string; errorMessage: string }; // the form of every refusal
  assert.equal(body.errorType, errorType);
  if (typeof errorMessage === 'string') assert.equal(body.errorMessage, errorMessage);
  else assert.match(body.errorMessage, errorMessage);
}

async function register(api: OpenApi, name: string, body = BOTH): Promise<string> {
  const headers = { 'Lambda-Extension-Name': name };
  const { status, headers: got, text } = await api.send('POST', REGISTER, { headers, body });
  assert.equal(status, 200, text);
  return String(got['lambda-extension-identifier']);
}

function identified(id: string, errorType?: string): Sent {
  const type = errorType === undefined ? {} : { 'Lambda-Extension-Function-Error-Type': errorType };
  return { headers: { 'Lambda-Extension-Identifier': id, ...type } };
}

test('of events that an extension never fetches the last hundred wait', async () => {
  await using api = await openApi();
  const id = await register(api, 'one', '{"events":["INVOKE"]}');
  for (let n = 1; n <= 1_000; n += 1) api.extensions.invoke({ n });
  const fetched: number[] = [];
  for (let n = 0; n < 100; n += 1)
    fetched.push(JSON.parse((await api.send('GET', NEXT, identified(id))).text).n);
  assert.deepEqual(
    fetched,
    Array.from({ length: 100 }, (_, at) => 901 + at),
  );
  assert.equal(api.extensions.areReady('all'), false, 'it has one in hand');
});

suite('registering', () => {
  test('answers with the id, the function, and the account where that is accepted', async () => {
    await using api = await openApi();
    api.extensions.expect('one');
    const plain = await api.send('POST', REGISTER, {
      headers: { 'Lambda-Extension-Name': 'one' },
      body: BOTH,
    });
    assert.equal(plain.headers['content-type'], 'application/json');
    assert.match(String(plain.headers['lambda-extension-identifier']), /^[0-9a-f-]{36}$/);
    const text = '{"functionName":"f","functionVersion":"$LATEST","handler":"index.handler"}';
    assert.equal(plain.text, text);
    const headers = {
      'Lambda-Extension-Name': 'two',
      'Lambda-Extension-Accept-Feature': 'x, accountId',
    };
    const { text: withAccount } = await api.send('POST', REGISTER, { headers, body: '{}' });
    assert.equal(withAccount, `{"accountId":"123456789012",${text.slice(1)}`);
  });

  test('is refused without a name, with a body that cannot be read or asks for what there is not', async () => {
    await using api = await openApi();
    api.extensions.expect('one');
    const named = (body: string) =>
      ['POST', REGISTER, { headers: { 'Lambda-Extension-Name': 'one' }, body }] as const;
    await expectRefusal(
      api,
      ['POST', REGISTER, { body: BOTH }],
      'Extension.InvalidExtensionName',
      'Empty extension name',
    );
    await expectRefusal(api, named('{'), 'InvalidRequestFormat', /./);
    await expectRefusal(
      api,
      named('{"configurationKeys":["a"]}'),
      'InvalidRequestFormat',
      'configurationKeys are deprecated; use environment variables instead',
    );
    await expectRefusal(
      api,
      named('{"events":["SLEEP"]}'),
      'Extension.InvalidEventType',
      /^SLEEP: /,
    );
    await register(api, 'one');
    await expectRefusal(
      api,
      named(BOTH),
      'Extension.InvalidExtensionState',
      'State transition from Registered to Registered failed for extension one. Error: State transition is not allowed',
    );
  });

  test('within the runtime is for INVOKE only, once, before the first event, for ten in all', async () => {
    await using api = await openApi();
    const inner = (name: string, body: string) =>
      ['POST', REGISTER, { headers: { 'Lambda-Extension-Name': name }, body }] as const;
    await expectRefusal(
      api,
      inner('a', BOTH),
      'Extension.InvalidEventType',
      'SHUTDOWN: ShutdownEventNotSupportedForInternalExtension',
    );
    await register(api, 'a', '{"events":["INVOKE"]}');
    await expectRefusal(
      api,
      inner('a', '{}'),
      'Extension.InvalidExtensionState',
      'Extension with this name already registered',
    );
    for (let index = 1; index < 10; index += 1) await register(api, `a${index}`, '{}');
    await expectRefusal(
      api,
      inner('b', '{}'),
      'Extension.TooManyExtensions',
      'Extension limit (10) reached',
    );
    api.extensions.closeRegistration();
    await expectRefusal(
      api,
      inner('c', '{}'),
      'Extension.RegistrationClosed',
      'Extension registration closed already',
    );
  });
});

suite('events', () => {
  test('go to those that have subscribed, when they ask, each once and with an id of its own', async () => {
    await using api = await openApi();
    for (const name of ['both', 'end']) api.extensions.expect(name);
    const both = await register(api, 'both');
    const end = await register(api, 'end', '{"events":["SHUTDOWN"]}');
    assert.equal(api.extensions.areReady('all'), false);
    const first = api.send('GET', NEXT, identified(both));
    const only = api.send('GET', NEXT, identified(end));
    await waitFor('both wait', () => api.extensions.areReady('all'));
    api.extensions.invoke({ requestId: 'r' });
    const { headers, text } = await first;
    assert.equal(text, '{"eventType":"INVOKE","requestId":"r"}');
    assert.equal(headers['content-type'], 'application/json');
    assert.match(String(headers['lambda-extension-event-identifier']), /^[0-9a-f-]{36}$/);
    assert.equal(api.extensions.areReady('all'), false, 'one is at work');
    api.extensions.shutDown({ shutdownReason: 'SPINDOWN' });
    const shutdown = '{"eventType":"SHUTDOWN","shutdownReason":"SPINDOWN"}';
    assert.equal((await only).text, shutdown);
    assert.equal((await api.send('GET', NEXT, identified(both))).text, shutdown);
    assert.equal(api.extensions.haveEnded, false);
    for (const name of ['both', 'end']) api.extensions.ended(name, 0);
    assert.equal(api.extensions.haveEnded, true);
    assert.deepEqual(api.messages, [], 'no end is a crash now');
  });

  test('are not for somebody without an id, with a wrong or an unknown one, or before registering', async () => {
    await using api = await openApi();
    await expectRefusal(
      api,
      ['GET', NEXT],
      'Extension.MissingExtensionIdentifier',
      'Missing Lambda-Extension-Identifier header',
    );
    await expectRefusal(
      api,
      ['GET', NEXT, identified('me')],
      'Extension.InvalidExtensionIdentifier',
      'Invalid Lambda-Extension-Identifier',
    );
    await expectRefusal(
      api,
      ['GET', NEXT, identified(UNKNOWN)],
      'Extension.UnknownExtensionIdentifier',
      `Unknown extension ${UNKNOWN}`,
    );
  });
});

suite('failures', () => {
  for (const [path, state] of [
    [INIT_ERROR, 'InitError'],
    [EXIT_ERROR, 'ExitError'],
  ] as const)
    test(`${state} is told, once, and ends the extension`, async () => {
      await using api = await openApi();
      api.extensions.expect('one');
      const id = await register(api, 'one');
      await expectRefusal(
        api,
        ['POST', path, identified(id)],
        'Extension.MissingHeader',
        'Lambda-Extension-Function-Error-Type not found',
      );
      for (const round of [1, 2]) {
        const { status, text } = await api.send('POST', path, identified(id, 'Extension.NoKey'));
        assert.deepEqual(
          { status, text },
          { status: 202, text: '{"status":"OK"}' },
          `round ${round}`,
        );
      }
      const reason = 'one has reported Extension.NoKey';
      assert.deepEqual(api.messages, [{ kind: 'broken', errorType: `Extension.${state}`, reason }]);
      await expectRefusal(
        api,
        ['GET', NEXT, identified(id)],
        'Extension.InvalidExtensionState',
        `State transition from ${state} to Ready failed for extension ${id}. Error: State transition is not allowed`,
      );
      api.extensions.ended('one', 1);
      assert.equal(api.messages.length, 1, 'its end is no news');
      const [record] = api.extensions.records();
      assert.deepEqual(record, {
        kind: 'extension',
        name: 'one',
        state,
        events: ['INVOKE', 'SHUTDOWN'],
        errorType: 'Extension.NoKey',
      });
    });

  test('an init error is too late once an event was asked for', async () => {
    await using api = await openApi();
    api.extensions.expect('one');
    const id = await register(api, 'one');
    void api.send('GET', NEXT, identified(id)).catch(() => {}); // ends with the listener
    await waitFor('it waits', () => api.extensions.areReady('all'));
    await expectRefusal(
      api,
      ['POST', INIT_ERROR, identified(id, 'X')],
      'Extension.InvalidExtensionState',
      /^State transition from Ready to InitError /,
    );
  });

  test('a process that ends before it is told to is a crash', async () => {
    await using api = await openApi();
    api.extensions.expect('one');
    api.extensions.ended('one', 3);
    assert.deepEqual(api.messages, [
      { kind: 'broken', errorType: 'Extension.Crash', reason: 'exit code 3' },
    ]);
  });
});

// What process.env holds: the service's variables, the function's own, credentials, and nothing of the host's.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GetFunctionCommand, InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { result } from '../support/function-answers.ts';
import { startTestHost } from '../support/test-host.ts';

const CODE = `const atInit = { ...process.env };
export const handler = async () => ({ env: atInit, now: { ...process.env }, cwd: process.cwd() });`;

interface Seen {
  readonly env: Readonly<Record<string, string>>;
  readonly now: Readonly<Record<string, string>>;
  readonly cwd: string;
}

test('a function has exactly the variables of the service, and its own', async () => {
  process.env['HOST_CANARY'] = 'must not be seen';
  await using t = await startTestHost();
  await t.deploy(
    'f',
    { 'dir/index.mjs': CODE },
    {
      Handler: 'dir/index.handler',
      MemorySize: 200,
      Environment: { Variables: { MINE: '$HOME x=1\n', TZ: 'Europe/Berlin' } },
    },
  );
  const { env, now, cwd } = (await result(t, 'f')) as Seen; // as the fixture returns
  assert.equal(cwd, '/var/task');
  const {
    AWS_ACCESS_KEY_ID,
    AWS_SECRET_ACCESS_KEY,
    AWS_SESSION_TOKEN,
    AWS_LAMBDA_LOG_STREAM_NAME,
    ...rest
  } = env;
  assert.deepEqual(rest, {
    _AWS_XRAY_DAEMON_ADDRESS: '169.254.100.1',
    _AWS_XRAY_DAEMON_PORT: '2000',
    _HANDLER: 'dir/index.handler',
    AWS_DEFAULT_REGION: 'us-east-1',
    AWS_ENDPOINT_URL_LAMBDA: t.url,
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '200',
    AWS_LAMBDA_FUNCTION_NAME: 'f',
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_GROUP_NAME: '/aws/lambda/f',
    AWS_REGION: 'us-east-1',
    AWS_XRAY_CONTEXT_MISSING: 'LOG_ERROR',
    AWS_XRAY_DAEMON_ADDRESS: '169.254.100.1:2000',
    LAMBDA_RUNTIME_DIR: '/var/runtime',
    LAMBDA_TASK_ROOT: '/var/task',
    LANG: 'en_US.UTF-8',
    LD_LIBRARY_PATH:
      '/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib',
    MINE: '$HOME x=1\n',
    NODE_PATH:
      '/opt/nodejs/node24/node_modules:/opt/nodejs/node_modules:/var/runtime/node_modules:/var/runtime:/var/task',
    PATH: '/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin',
    PWD: '/var/task',
    SHLVL: '0',
    TZ: 'Europe/Berlin',
  });
  assert.match(AWS_LAMBDA_LOG_STREAM_NAME ?? '', /^\d{4}\/\d\d\/\d\d\/\[\$LATEST\][0-9a-f]{32}$/);
  assert.match(AWS_ACCESS_KEY_ID ?? '', /^ASIA/);
  assert.ok(AWS_SECRET_ACCESS_KEY !== undefined && AWS_SESSION_TOKEN !== undefined);
  assert.deepEqual(
    Object.keys(now).filter((name) => !(name in env)),
    ['_X_AMZN_TRACE_ID'],
  );

  // They are good for what a function may do, and for that only.
  using client = disposable(
    new LambdaClient({
      endpoint: t.url,
      region: 'us-east-1',
      maxAttempts: 1,
      credentials: {
        accessKeyId: AWS_ACCESS_KEY_ID ?? '',
        secretAccessKey: AWS_SECRET_ACCESS_KEY,
        sessionToken: AWS_SESSION_TOKEN,
      },
    }),
  );
  const invoked = await client.value.send(new InvokeCommand({ FunctionName: 'f' }));
  assert.equal(invoked.StatusCode, 200);
  await assert.rejects(client.value.send(new GetFunctionCommand({ FunctionName: 'f' })), {
    name: 'AccessDeniedException',
  });
});

function disposable(client: LambdaClient) {
  return { value: client, [Symbol.dispose]: () => client.destroy() };
}

test('a module is found where NODE_PATH and node_modules say', async () => {
  await using t = await startTestHost();
  await t.deploy('f', {
    'index.cjs': `exports.handler = async () => [require('inside'), require('shared/part')];`,
    'node_modules/inside/index.js': 'module.exports = "from node_modules";',
    'shared/part.js': 'module.exports = "from the task root by NODE_PATH";',
  });
  assert.deepEqual(await result(t, 'f'), ['from node_modules', 'from the task root by NODE_PATH']);
});

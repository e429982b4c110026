// A host of its own for one test: a temporary data directory, a free port, the official SDK as client. Fails the test that
// leaves a process, a control group or a slot behind.
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  CreateFunctionCommand,
  type CreateFunctionCommandInput,
  InvokeCommand,
  type InvokeCommandInput,
  LambdaClient,
  waitUntilFunctionActiveV2,
} from '@aws-sdk/client-lambda';
import { readConfig } from '../../host/config.ts';
import { type Host, startHost } from '../../host/host.ts';
import type { Clock } from '../../runtime/clock.ts';
import { closeInheritedDescriptors } from '../../runtime/sandbox/descriptors.ts';
import { zipOf } from './bundle-fixtures.ts';
import { tracesOf } from './traces.ts';

// As the process of a real host does first of all: sandboxes would inherit what the test runner's parent left open.
closeInheritedDescriptors();

export const ACCESS_KEY_ID = 'AKIAIOSFODNN7EXAMPLE';
export const SECRET_ACCESS_KEY = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';
export const ROLE = 'arn:aws:iam::000000000000:role/service-role/test';

export interface TestHostOptions {
  /** As on the command line. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Used and kept instead of a directory of its own. */
  readonly dataDir?: string;
  readonly clock?: Clock;
}

export interface InvokeAnswer {
  readonly status: number | undefined;
  readonly functionError: string | undefined;
  /** The payload, parsed. */
  readonly payload: unknown;
  readonly text: string;
  readonly log: string;
  readonly executedVersion: string | undefined;
}

export interface TestHost extends AsyncDisposable {
  readonly host: Host;
  readonly url: string;
  readonly dataDir: string;
  readonly client: LambdaClient;
  /** What the host told its operator. */
  readonly reports: readonly string[];
  /** Creates a Node function of these files and waits until it is Active. */
  deploy(
    name: string,
    files: Readonly<Record<string, string>>,
    more?: Partial<CreateFunctionCommandInput>,
  ): Promise<void>;
  /** Invokes with a log tail. */
  invoke(name: string, event?: unknown, more?: Partial<InvokeCommandInput>): Promise<InvokeAnswer>;
}

export async function startTestHost(options: TestHostOptions = {}): Promise<TestHost> {
  const dataDir = options.dataDir ?? (await mkdtemp(path.join(tmpdir(), 'lambkin-test-')));
  const reports: string[] = [];
  const config = readConfig({
    args: ['--listen', '127.0.0.1:0', '--data', dataDir, ...(options.args ?? [])],
    env: {
      LAMBKIN_ACCESS_KEY_ID: ACCESS_KEY_ID,
      LAMBKIN_SECRET_ACCESS_KEY: SECRET_ACCESS_KEY,
      ...options.env,
    },
    cwd: dataDir,
    readFile: (file) => readFileSync(file, 'utf8'),
  });
  const host = await startHost({
    config,
    ...(options.clock === undefined ? {} : { clock: options.clock }),
    report: (text, cause) =>
      reports.push(
        cause === undefined
          ? text
          : `${text}: ${cause instanceof Error ? cause.stack : JSON.stringify(cause)}`,
      ),
  });
  const client = createClient(host.listenUrl);
  return {
    host,
    url: host.listenUrl,
    dataDir,
    client,
    reports,
    deploy: (name, files, more) => deploy(client, name, files, more),
    invoke: (name, event, more) => invoke(client, name, event, more),
    async [Symbol.asyncDispose]() {
      client.destroy();
      await host[Symbol.asyncDispose]();
      const left = tracesOf(dataDir);
      if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
      if (left.length > 0) throw new Error(`the host left behind: ${left.join(', ')}`);
    },
  };
}

export function createClient(url: string, accessKeyId = ACCESS_KEY_ID): LambdaClient {
  return new LambdaClient({
    endpoint: url,
    region: 'us-east-1',
    maxAttempts: 1,
    credentials: { accessKeyId, secretAccessKey: SECRET_ACCESS_KEY },
  });
}

export async function deploy(
  client: LambdaClient,
  name: string,
  files: Readonly<Record<string, string>>,
  more: Partial<CreateFunctionCommandInput> = {},
): Promise<void> {
  await client.send(
    new CreateFunctionCommand({
      FunctionName: name,
      Runtime: 'nodejs24.x',
      Handler: 'index.handler',
      Role: ROLE,
      Code: { ZipFile: await zipOf(files) },
      ...more,
    }),
  );
  await waitUntilFunctionActiveV2(
    { client, maxWaitTime: 30, minDelay: 0.02, maxDelay: 0.1 },
    { FunctionName: name },
  );
}

export async function invoke(
  client: LambdaClient,
  name: string,
  event: unknown = {},
  more: Partial<InvokeCommandInput> = {},
): Promise<InvokeAnswer> {
  const answer = await client.send(
    new InvokeCommand({
      FunctionName: name,
      Payload: JSON.stringify(event),
      LogType: 'Tail',
      ...more,
    }),
  );
  const text = Buffer.from(answer.Payload ?? []).toString();
  return {
    status: answer.StatusCode,
    functionError: answer.FunctionError,
    payload: text === '' ? undefined : JSON.parse(text),
    text,
    log: Buffer.from(answer.LogResult ?? '', 'base64').toString(),
    executedVersion: answer.ExecutedVersion,
  };
}

// Two hosts with the same functions, one of them with many events that wait. They wait for a function that may run one event at a
// time and sleeps in it, so that what is measured beside them is not disturbed by their running.
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { PutFunctionConcurrencyCommand } from '@aws-sdk/client-lambda';
import { createIds, eventItem } from '../../host/queue/event.ts';
import { openStore } from '../../host/store/sqlite.ts';
import { createClient, deploy } from '../../test/support/test-host.ts';
import { startHostServer } from './server.ts';

/** Answers its event at once. */
export const ECHO = 'echo';
/** Its events stay where they are. */
export const PARKED = 'parked';
/** As ECHO, but an event that names a time is held until then. Reserved to one event at a time until that is taken back. */
export const HELD = 'held';

const ECHO_CODE = 'export const handler = async (event) => event;\n';
const PARKED_CODE =
  'export const handler = () => new Promise((resolve) => setTimeout(resolve, 890_000));\n';
const HELD_CODE = `export const handler = async ({ until, ...event }) => {
  if (until !== undefined) await new Promise((resolve) => setTimeout(resolve, until - Date.now()));
  return event;
};\n`;
const LONGEST_SECONDS = 900;
const FILL_BATCH = 2_000;
const ACCOUNT = { account: '000000000000', region: 'us-east-1' };

export interface QueuedHosts {
  /** Data directory in which nothing waits. */
  readonly emptyDir: string;
  /** The same with the events. */
  readonly fullDir: string;
}

/** @param events how many wait in the full one, each with this payload */
export async function prepareQueuedHosts(
  folder: string,
  events: number,
  payload: string,
  signal: AbortSignal,
): Promise<QueuedHosts> {
  const [emptyDir, fullDir] = [path.join(folder, 'empty'), path.join(folder, 'full')];
  await deployAll(emptyDir, signal);
  await deployAll(fullDir, signal);
  await fill(fullDir, events, payload, signal);
  return { emptyDir, fullDir };
}

async function deployAll(dataDir: string, signal: AbortSignal): Promise<void> {
  await using server = await startHostServer({ dataDir, signal });
  using stack = new DisposableStack();
  const client = stack.adopt(createClient(server.url), (each) => each.destroy());
  await deploy(client, ECHO, { 'index.mjs': ECHO_CODE });
  await deploy(client, PARKED, { 'index.mjs': PARKED_CODE }, { Timeout: LONGEST_SECONDS });
  await deploy(client, HELD, { 'index.mjs': HELD_CODE }, { Timeout: LONGEST_SECONDS });
  await client.send(
    new PutFunctionConcurrencyCommand({ FunctionName: PARKED, ReservedConcurrentExecutions: 1 }),
  );
}

async function fill(
  dataDir: string,
  events: number,
  payload: string,
  signal: AbortSignal,
): Promise<void> {
  await using store = await openStore({ dataDir });
  const nowMs = Date.now();
  const newId = createIds(Date.now, randomUUID);
  const bytes = Buffer.from(payload);
  for (let stored = 0; stored < events; stored += FILL_BATCH) {
    signal.throwIfAborted();
    const count = Math.min(FILL_BATCH, events - stored);
    await store.due.accept(
      Array.from({ length: count }, () => eventItem(call(), bytes, newId, nowMs)),
    );
  }
}

function call() {
  return {
    ...ACCOUNT,
    requestId: randomUUID(),
    functionName: PARKED,
    traceHeader: 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0',
    tenantId: '',
  };
}

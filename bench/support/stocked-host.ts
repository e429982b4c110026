// Data directories with many functions. One function is deployed through the API; the others are its record under other names,
// written while no host runs: ten thousand deployments would take minutes.
import { randomUUID } from 'node:crypto';
import { openStore } from '../../host/store/sqlite.ts';
import type { Registry, RegistryChange, RegistryRecord } from '../../host/store/store.ts';
import { createClient, deploy } from '../../test/support/test-host.ts';
import { startHostServer } from './server.ts';

const TEMPLATE = 'f-00000';
const HANDLER = 'export const handler = async (event) => event;\n';
const BATCH = 500;
const DIGITS = 5;

export interface Stock {
  readonly functions: number;
  /** Published versions of each. */
  readonly versions: number;
}

/** Names ascend with their number. */
export function stockedName(number: number): string {
  return `f-${String(number).padStart(DIGITS, '0')}`;
}

/** Fills a data directory that does not exist yet. */
export async function stock(
  dataDir: string,
  { functions, versions }: Stock,
  signal: AbortSignal,
): Promise<void> {
  await deployTemplate(dataDir, signal);
  await using store = await openStore({ dataDir });
  const { registry } = store;
  const [template] = await registry.list('function');
  const [version] = await registry.list('version');
  if (template === undefined || version === undefined)
    throw new Error('the template function was not stored');
  const changes: RegistryChange[] = [];
  for (let number = 0; number < functions; number += 1) {
    const key = template.key.replace(TEMPLATE, stockedName(number));
    if (key !== template.key) changes.push(creation('function', key, rootOf(template, number)));
    for (let n = 1; n <= versions; n += 1)
      if (key !== template.key || n > 1)
        changes.push(creation('version', `${key}/${n}`, versionOf(version, n)));
  }
  await putInBatches(registry, changes, signal);
}

async function deployTemplate(dataDir: string, signal: AbortSignal): Promise<void> {
  await using server = await startHostServer({ dataDir, signal });
  using stack = new DisposableStack();
  const client = stack.adopt(createClient(server.url), (each) => each.destroy());
  await deploy(client, TEMPLATE, { 'index.mjs': HANDLER }, { Publish: true });
}

function rootOf({ value }: RegistryRecord, number: number): unknown {
  // as: the host wrote it as an object
  const root = value as { latest: object; nextVersion: number };
  return {
    ...root,
    name: stockedName(number),
    latest: { ...root.latest, configurationId: randomUUID(), revisionId: randomUUID() },
  };
}

function versionOf({ value }: RegistryRecord, number: number): unknown {
  // as: the host wrote it as an object
  const ids = { configurationId: randomUUID(), revisionId: randomUUID() };
  return { ...(value as object), version: String(number), ...ids };
}

function creation(kind: 'function' | 'version', key: string, value: unknown): RegistryChange {
  return { kind, key, expected: undefined, value };
}

async function putInBatches(
  registry: Registry,
  changes: readonly RegistryChange[],
  signal: AbortSignal,
): Promise<void> {
  for (let at = 0; at < changes.length; at += BATCH) {
    signal.throwIfAborted();
    await registry.put(changes.slice(at, at + BATCH));
  }
}

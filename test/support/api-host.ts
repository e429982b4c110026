// The API of a host without execution environments: its parts are real, but the test says when code is ready and what an
// environment answers. For the moments between a call and its end that pass too fast on a whole host.
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { createAuthenticator } from '../../host/auth/authenticator.ts';
import { openHostKey } from '../../host/auth/host-key.ts';
import { openCapacityProviders } from '../../host/capacity/capacity-providers.ts';
import { openCodePackages } from '../../host/code/packages.ts';
import { CodeSigningConfigs } from '../../host/code-signing/code-signing-configs.ts';
import { Allotments } from '../../host/concurrency/allotments.ts';
import { type KeptEnvironments, Provisioning } from '../../host/concurrency/provisioning.ts';
import { Concurrency } from '../../host/dispatch/concurrency.ts';
import { Dispatcher, type Environments } from '../../host/dispatch/dispatcher.ts';
import { environmentSpec } from '../../host/dispatch/environment-spec.ts';
import { FunctionUrls } from '../../host/function-urls/function-urls.ts';
import { Activation } from '../../host/functions/activation.ts';
import { Functions } from '../../host/functions/functions.ts';
import { partitionOf } from '../../host/functions/names.ts';
import type { FunctionSettings } from '../../host/functions/record.ts';
import { ApiRate } from '../../host/http/api-rate.ts';
import { createBrowserGuard } from '../../host/http/browser-guard.ts';
import { codeLink } from '../../host/http/own-routes.ts';
import { createRouter } from '../../host/http/router.ts';
import { closeServer, createServer } from '../../host/http/server.ts';
import { createSignedLinks } from '../../host/http/signed-link.ts';
import { Layers } from '../../host/layers/layers.ts';
import { ResourcePolicies } from '../../host/policies/resource-policies.ts';
import { AsyncQueue } from '../../host/queue/queue.ts';
import { systemTimers } from '../../host/queue/timers.ts';
import { openStore } from '../../host/store/sqlite.ts';
import { systemClock } from '../../runtime/clock.ts';

export interface ApiHostOptions {
  /** Stands in for unpacking code and warming slots; a function's state waits for it. */
  readonly makeReady?: (settings: FunctionSettings) => Promise<void>;
  readonly codeStorageBytes?: number;
  readonly accountConcurrency?: number;
  /** Stands in for the environments that are kept ready; of itself, none ever is. */
  readonly kept?: KeptEnvironments;
  /** Decides which version of an alias with weights runs. */
  readonly random?: () => number;
  /** Used and kept instead of a directory of its own. */
  readonly dataDir?: string;
  /** What the ARN of every runtime version ends in. */
  readonly runtimeHash?: string;
}

export interface ApiHost extends AsyncDisposable {
  readonly client: LambdaClient;
  readonly functions: Functions;
  readonly policies: ResourcePolicies;
  readonly problems: readonly string[];
}

/** Answers each event with the key of the environment that would have run it. */
const namesItself: Environments = {
  invoke: async (spec) => ({
    outcome: { kind: 'returned', payload: Buffer.from(JSON.stringify(spec.key)) },
    logTail: undefined,
  }),
  hasRoom: () => true,
};

const neverReady: KeptEnvironments = {
  keep: () => {},
  kept: () => ({ available: 0, failure: undefined }),
};

export async function startApiHost(options: ApiHostOptions = {}): Promise<ApiHost> {
  await using stack = new AsyncDisposableStack();
  const { runtimeHash = 'ab' } = options;
  const dataDir = options.dataDir ?? (await mkdtemp(path.join(tmpdir(), 'lambkin-api-')));
  if (options.dataDir === undefined)
    stack.defer(() => rm(dataDir, { recursive: true, force: true }));
  const now = () => systemClock.epochMs();
  const stamp = () => ({ epochMs: now(), newId: () => randomUUID() });
  const problems: string[] = [];
  const onProblem = (text: string, cause?: unknown) => problems.push(`${text}: ${String(cause)}`);
  const store = stack.use(await openStore({ dataDir, now }));
  const { code, secrets } = store.directory.folders;
  const packages = stack.use(
    await openCodePackages({
      blobs: store.blobs,
      codeDir: code,
      clock: systemClock,
      onFault: (error) => onProblem('a package could not be kept in order', error),
    }),
  );
  const functions = await Functions.open(store.registry);
  const functionUrls = new FunctionUrls(functions);
  const layers = await Layers.open(store.registry);
  const codeSigning = await CodeSigningConfigs.open(store.registry);
  const capacityProviders = await openCapacityProviders(store.registry);
  const activation = stack.use(
    new Activation({
      functions,
      makeReady: options.makeReady ?? (async () => {}),
      initialise: () => Promise.resolve(undefined),
      stamp,
      onProblem,
    }),
  );
  const concurrency = new Concurrency({
    limit: options.accountConcurrency ?? 1_000,
    limitsRate: false,
    monotonicMs: () => systemClock.monotonicMs(),
  });
  const allotments = new Allotments({ functions, concurrency });
  const provisioning = new Provisioning({
    functions,
    environments: options.kept ?? neverReady,
    specOf: (record, version) => dispatcher.specOf(record, version),
  });
  const dispatcher = new Dispatcher({
    functions,
    environments: namesItself,
    concurrency,
    runtimeSupport: () => ({
      kind: 'available',
      version: { name: 'nodejs:24.v0', hash: runtimeHash },
    }),
    specOf: (record, version, runtimeVersion) =>
      environmentSpec(record, version, runtimeVersion, {
        packages,
        openLogStream: () => ({ isBehind: false, write: () => {}, close: () => {} }),
        credentialsFor: () => Promise.reject(new Error('no environment is made here')),
        endpointUrl: '',
      }),
    architecture: 'x86_64',
    random: options.random ?? Math.random,
  });
  const links = createSignedLinks({
    hostKey: await openHostKey({ secretsDir: secrets, random: randomBytes }),
  });
  const policies = new ResourcePolicies(functions, layers);
  // Takes events and runs none of them.
  const queue = stack.use(
    await AsyncQueue.open({
      due: store.due,
      dispatcher,
      functions,
      policies,
      deliverer: { deliver: () => Promise.reject(new Error('nothing is delivered here')) },
      retryBaseMs: 60_000,
      keepDeadLettersMs: 60_000,
      functionError: 'modern',
      epochMs: now,
      timers: systemTimers,
      random: Math.random,
      newUuid: randomUUID,
      onProblem,
    }),
  );
  const server = createServer({
    router: createRouter(),
    policies,
    services: new Map(),
    authenticator: createAuthenticator({
      mode: {
        kind: 'none',
        guard: createBrowserGuard({ trustedHosts: [] }),
        account: '000000000000',
        region: 'us-east-1',
      },
      lookup: () => 'unknown',
      services: ['lambda'],
      now,
    }),
    apiRate: new ApiRate({ getFunction: undefined, getPolicy: undefined, others: undefined }, () =>
      systemClock.monotonicMs(),
    ),
    invoke: { dispatcher, queue, functionError: 'modern', epochMs: now },
    contextFor: (caller, requestId) => ({
      functions,
      policies,
      layers,
      functionUrls,
      codeSigning,
      capacityProviders,
      activation,
      concurrency,
      allotments,
      provisioning,
      packages,
      fetchFromS3: () => Promise.reject(new Error('there is no S3 here')),
      limits: { maxMemoryMib: 10_240, codeStorageBytes: options.codeStorageBytes ?? 1e9 },
      runtimeHash: () => runtimeHash,
      stamp,
      requestId,
      caller,
      account: caller.account,
      region: caller.region,
      partition: partitionOf(caller.region),
      origin: 'http://localhost',
      codeLink: (digest) => codeLink(links, digest, now()),
    }),
    tls: undefined,
    onFault: onProblem,
  });
  stack.defer(() => closeServer(server, 1_000));
  const url = await server.listen({ host: '127.0.0.1', port: 0 });
  activation.resume();
  provisioning.begin();
  const client = stack.adopt(unsignedClient(url), (each) => each.destroy());
  const owned = stack.move();
  return {
    client,
    functions,
    policies,
    problems,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** The SDK signs unless it is told that there is nothing to sign with. */
function unsignedClient(url: string): LambdaClient {
  return new LambdaClient({
    endpoint: url,
    region: 'us-east-1',
    maxAttempts: 1,
    signer: { sign: async (request) => request },
    credentials: { accessKeyId: 'none', secretAccessKey: 'none' },
  });
}

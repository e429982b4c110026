// One host: builds every part in order and owns them all. The order of construction is the design; disposal runs it backwards.
import { randomBytes, randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { type Clock, systemClock } from '../runtime/clock.ts';
import { Pool } from '../runtime/pool/pool.ts';
import { installableMajor, NodeInstalls } from '../runtime/runtimes/node/installs.ts';
import { describePlaces } from '../runtime/runtimes/python/places.ts';
import { Runtimes } from '../runtime/runtimes/runtimes.ts';
import type { IsolationReport } from '../runtime/sandbox/sandbox.ts';
import { Slots } from '../runtime/slots/slots.ts';
import type { OperationContext, OperationParts } from './api/context.ts';
import { type AuthMode, createAuthenticator, lookupIn } from './auth/authenticator.ts';
import { rootCaller } from './auth/caller.ts';
import type { AccessKeyPair } from './auth/credentials.ts';
import { FunctionCredentials } from './auth/function-credentials.ts';
import { RoleCredentials } from './auth/role-credentials.ts';
import { fetchFromS3 } from './code/s3-source.ts';
import { CodeSweep } from './code/sweep.ts';
import { Allotments } from './concurrency/allotments.ts';
import { Provisioning } from './concurrency/provisioning.ts';
import type { HostConfig } from './config.ts';
import { Concurrency } from './dispatch/concurrency.ts';
import { Dispatcher } from './dispatch/dispatcher.ts';
import { environmentSpec } from './dispatch/environment-spec.ts';
import { type LayerContents, needsLateStart } from './dispatch/late-start.ts';
import { TenantEnvironments } from './dispatch/tenant-environments.ts';
import { FunctionUrls } from './function-urls/function-urls.ts';
import { Activation } from './functions/activation.ts';
import { ACCOUNT_CODE_BYTES } from './functions/code-source.ts';
import type { Functions } from './functions/functions.ts';
import { partitionOf } from './functions/names.ts';
import type { FunctionSettings } from './functions/record.ts';
import { snapshotProblem } from './functions/snap-start.ts';
import { ApiRate } from './http/api-rate.ts';
import { createBrowserGuard } from './http/browser-guard.ts';
import { addOwnRoutes, codeLink } from './http/own-routes.ts';
import { createRouter } from './http/router.ts';
import { closeServer, createServer } from './http/server.ts';
import { createSignedLinks } from './http/signed-link.ts';
import { readTls } from './http/tls.ts';
import { createIam } from './iam/service.ts';
import { layerDigests } from './layers/attach.ts';
import { INSTALLED, type OpenedParts, type OpenOptions, openParts } from './open-parts.ts';
import { ResourcePolicies } from './policies/resource-policies.ts';
import type { SignedService } from './query/service.ts';
import { QueueOperator } from './queue/operator.ts';
import { openDeliverer } from './queue/outcomes/open.ts';
import { AsyncQueue } from './queue/queue.ts';
import { systemTimers } from './queue/timers.ts';
import { createSts } from './sts/service.ts';

/** As many tenants may have environments as on the service: 2,500 for a concurrency of 1,000. */
const TENANTS_PER_CONCURRENCY = 2.5;

export interface Host extends AsyncDisposable {
  /** Where it listens, with the port it got: `http://127.0.0.1:9001`. */
  readonly listenUrl: string;
  /** Base of the API in everything that is handed out: the configured public URL, else where it listens. */
  readonly publicUrl: string;
  readonly isolation: IsolationReport;
  /** Identifiers of those that run here, as far as is known at the start. */
  readonly runtimes: readonly string[];
  readonly dataDir: string;
  /** What to sign with; undefined when the credentials file holds no admin key any more. */
  readonly adminPair: AccessKeyPair | undefined;
  readonly functionCount: number;
  /** Rejects never; resolves with the reason when the host cannot go on (its store is gone). */
  readonly lost: Promise<Error>;
}

export interface HostOptions extends Omit<OpenOptions, 'clock'> {
  readonly clock?: Clock;
}

export async function startHost({
  config,
  report,
  clock = systemClock,
}: HostOptions): Promise<Host> {
  await using stack = new AsyncDisposableStack();
  const now = () => clock.epochMs();
  const opened = await openParts(stack, { config, clock, report });
  const { store, packages, functions, layers, identities, logs, credentials, hostKey } = opened;
  const { runtimes, slots, pool, installs } = startEnvironments(stack, opened, {
    config,
    clock,
    report,
  });
  const environments = new TenantEnvironments({
    environments: pool,
    maxTenants: Math.max(
      1,
      Math.floor(TENANTS_PER_CONCURRENCY * config.dispatch.accountConcurrency),
    ),
  });
  functions.listen({ onSuperseded: (key) => environments.retire(key) });
  const referencedCode = () => functions.referencedCode().union(layers.referencedCode());
  stack.use(new CodeSweep({ referencedCode, packages, blobs: store.blobs, report }));

  const functionCredentials = new FunctionCredentials({ hostKey, now, random: randomBytes });
  const roles = new RoleCredentials({
    secretsDir: store.directory.folders.secrets,
    functionCredentials,
    now,
    onProblem: report,
  });
  /** Known once the listener has its port; environments are made later. */
  let publicUrl = '';
  const concurrency = new Concurrency({
    limit: config.dispatch.accountConcurrency,
    limitsRate: config.dispatch.limitsRate,
    monotonicMs: () => clock.monotonicMs(),
  });
  const dispatcher = new Dispatcher({
    functions,
    environments,
    concurrency,
    runtimeSupport: (runtime) => runtimes.support(runtime),
    specOf: (record, version, runtimeVersion) =>
      environmentSpec(record, version, runtimeVersion, {
        packages,
        openLogStream: (scope, group, name) => logs.openStream(scope, group, name),
        credentialsFor: (identity) => roles.credentialsFor(identity),
        endpointUrl: publicUrl,
      }),
    architecture: machineArchitecture(),
    random: Math.random,
  });
  const policies = new ResourcePolicies(functions, layers);
  const deliverer = stack.use(
    openDeliverer({
      endpoints: config.awsEndpoints,
      secretsDir: store.directory.folders.secrets,
      roles,
      now,
      onProblem: report,
    }),
  );
  const queue = stack.use(
    await AsyncQueue.open({
      due: store.due,
      dispatcher,
      functions,
      policies,
      deliverer,
      ...config.async,
      functionError: config.functionError,
      epochMs: now,
      timers: systemTimers,
      random: Math.random,
      newUuid: randomUUID,
      onProblem: report,
    }),
  );
  const provisioning = new Provisioning({
    functions,
    environments: pool,
    specOf: (record, version) => dispatcher.specOf(record, version),
  });
  const activation = stack.use(
    new Activation({
      functions,
      makeReady: async (settings, functionName) => {
        await installMissingNode(settings, runtimes, installs);
        noteMissingRuntime(functionName, settings, runtimes, report);
        const layers = layerDigests(settings);
        if (layers !== undefined) await packages.prepareLayers(layers);
        await packages.prepare(settings.code.digest);
        if (runtimes.support(settings.runtime).kind === 'available')
          slots.prepare(shapeOf(settings, packages));
      },
      initialise: async (record, version, signal) => {
        // It can be had, as anything that cannot run here; invocations say so.
        if (runtimes.support(version.settings.runtime).kind === 'missing') return undefined;
        return snapshotProblem(await pool.snapshot(dispatcher.specOf(record, version), signal));
      },
      stamp: () => stampAt(clock),
      onProblem: report,
    }),
  );
  // Ends before the activations that wait for it.
  stack.use(installs);
  const authenticatorOf = (service: string) =>
    createAuthenticator({
      mode: authMode(config),
      lookup: lookupIn(credentials, functionCredentials),
      services: [service],
      now,
      trustedHosts: config.trustedHosts,
      debug: config.debugSignatures,
    });
  const authenticator = authenticatorOf('lambda');
  const links = createSignedLinks({ hostKey });
  const parts: OperationParts = {
    functions,
    policies,
    layers,
    functionUrls: new FunctionUrls(functions),
    codeSigning: opened.codeSigning,
    capacityProviders: opened.capacityProviders,
    activation,
    concurrency,
    allotments: new Allotments({ functions, concurrency }),
    provisioning,
    packages,
    fetchFromS3: (source) => fetchFromS3({ ...source, endpoint: config.awsEndpoints.s3 }),
    limits: { maxMemoryMib: config.limits.memoryMib, codeStorageBytes: ACCOUNT_CODE_BYTES },
    runtimeHash: (runtime) => runtimes.hash(runtime),
    stamp: () => stampAt(clock),
  };
  const server = createServer({
    router: createRouter(),
    authenticator,
    policies,
    services: servicesByName(
      createIam(identities, { authenticator: authenticatorOf('iam'), onFault: report }),
      createSts(identities, { authenticator: authenticatorOf('sts'), onFault: report }),
    ),
    apiRate: new ApiRate(config.limits.apiRates, () => clock.monotonicMs()),
    invoke: { dispatcher, queue, functionError: config.functionError, epochMs: now },
    contextFor: (caller, requestId, request): OperationContext => ({
      ...parts,
      requestId,
      caller,
      account: caller.account,
      region: caller.region,
      partition: partitionOf(caller.region),
      origin: originOf(request, config),
      codeLink: (digest) => `${originOf(request, config)}${codeLink(links, digest, now())}`,
    }),
    tls: await readTls(config),
    onFault: report,
  });
  stack.defer(async () => {
    const { graceMs } = config.shutdown;
    await Promise.all([closeServer(server, graceMs), queue.drain(graceMs)]);
  });
  addOwnRoutes(server, {
    authenticator,
    isBearerToken: (token) => credentials.isBearerToken(token),
    bearerCaller: rootCaller('key', config.accountId, config.region),
    links,
    blobs: store.blobs,
    logs,
    queue: new QueueOperator({ due: store.due, queue, epochMs: now }),
    isolation: opened.sandboxes.report,
    runtimes: () => runtimes.versions,
    health: () => ({
      functions: functions.size,
      environments: pool.counts,
      slots: slots.ready,
      quarantined: opened.sandboxes.quarantined,
      queue: { running: queue.running, counts: queue.counters.total },
    }),
    epochMs: now,
    onFault: report,
  });
  await server.listen({ host: config.listen.host, port: config.listen.port });
  const listenUrl = urlOf(server.server.address(), config);
  publicUrl = config.publicUrl ?? listenUrl;
  warmUp(functions, runtimes, slots, packages);
  activation.resume();
  for (const { latest } of functions.all())
    void installMissingNode(latest.settings, runtimes, installs); // reports what stands in its way
  provisioning.begin();
  queue.run();
  const owned = stack.move();
  return {
    listenUrl,
    publicUrl,
    isolation: opened.sandboxes.report,
    runtimes: runtimes.available,
    dataDir: store.directory.path,
    adminPair: credentials.adminPair,
    functionCount: functions.size,
    lost: store.lost,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function servicesByName(...services: readonly SignedService[]): Map<string, SignedService> {
  return new Map(services.map((each) => [each.name, each]));
}

/** What environments run in: interpreters, slots that wait, the warm pool. */
function startEnvironments(
  stack: AsyncDisposableStack,
  { store, bootstraps, nodes, pythonBootstrap, pythons, waiting, sandboxes }: OpenedParts,
  { config, clock, report }: OpenOptions,
) {
  const runtimes = new Runtimes({
    node: process.execPath,
    nodeVersion: process.versions.node,
    bootstraps,
    nodes,
    waiting,
    python: {
      bootstrap: pythonBootstrap,
      interpreters: pythons,
      places: describePlaces(config.python),
    },
  });
  const slots = stack.use(
    new Slots({
      sandboxes,
      clock,
      programFor: (shape) => runtimes.program(shape),
      perShape: config.pool.genericSlots,
      newId: randomUUID,
      onBoot: (runtime, failure) => runtimes.noteBoot(runtime, failure),
      onProblem: report,
    }),
  );
  const cores = availableParallelism();
  const pool = stack.use(
    new Pool({
      slots,
      clock,
      cores,
      maxStarts: 4 * cores,
      idleMs: config.pool.idleMs,
      memoryBudgetMib: Math.floor(config.pool.memoryBudgetBytes / 1024 ** 2),
      queueLength: config.dispatch.queueLength,
      queueWaitMs: config.dispatch.queueWaitMs,
      onProblem: report,
    }),
  );
  const installs = new NodeInstalls({
    installDir: path.join(store.directory.path, INSTALLED),
    environment: config.node.npmEnvironment,
    isAllowed: config.node.install,
    monotonicMs: () => clock.monotonicMs(),
    onInstalled: (node) => runtimes.addNode(node),
    onProblem: report,
  });
  return { runtimes, slots, pool, installs };
}

function authMode(config: HostConfig): AuthMode {
  if (config.auth === 'sigv4') return { kind: 'sigv4' };
  const guard = createBrowserGuard({ trustedHosts: config.trustedHosts });
  return { kind: 'none', guard, account: config.accountId, region: config.region };
}

function shapeOf(settings: FunctionSettings, packages: LayerContents) {
  return {
    runtime: settings.runtime,
    memoryMib: settings.memorySize,
    ephemeralStorageMib: settings.ephemeralStorageMib,
    startsLate: needsLateStart(settings, packages),
  };
}

/** Slots for the shapes that deployed functions have, the default one first: it will be wanted in any case. */
function warmUp(
  functions: Functions,
  runtimes: Runtimes,
  slots: Slots,
  packages: LayerContents,
): void {
  const [usual] = runtimes.available;
  if (usual !== undefined)
    slots.prepare({ runtime: usual, memoryMib: 128, ephemeralStorageMib: 512 });
  for (const { latest } of functions.all())
    if (runtimes.support(latest.settings.runtime).kind === 'available')
      slots.prepare(shapeOf(latest.settings, packages));
}

/** Whatever comes of it is known by then; an invocation tells what is still missing. */
async function installMissingNode(
  { runtime }: FunctionSettings,
  runtimes: Runtimes,
  installs: NodeInstalls,
): Promise<void> {
  const major = installableMajor(runtime);
  if (major !== undefined && runtimes.support(runtime).kind === 'missing')
    await installs.ensure(major);
}

function noteMissingRuntime(
  functionName: string,
  { runtime }: FunctionSettings,
  runtimes: Runtimes,
  report: (text: string) => void,
): void {
  const support = runtimes.support(runtime);
  if (support.kind === 'missing')
    report(
      `${functionName} uses ${runtime}, which cannot run on this host: ${support.missing.reason}; invocations will say so`,
    );
}

function stampAt(clock: Clock) {
  return { epochMs: clock.epochMs(), newId: () => randomUUID() };
}

function machineArchitecture(): string {
  return process.arch === 'x64' ? 'x86_64' : process.arch;
}

function originOf(request: IncomingMessage, config: HostConfig): string {
  if (config.publicUrl !== undefined) return config.publicUrl;
  return `${config.tls === undefined ? 'http' : 'https'}://${request.headers.host ?? 'localhost'}`;
}

function urlOf(address: AddressInfo | string | null, config: HostConfig): string {
  if (address === null || typeof address === 'string')
    throw new Error('the listener has no network address');
  const scheme = config.tls === undefined ? 'http' : 'https';
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return `${scheme}://${host}:${address.port}`;
}

// From a function's name and qualifier to the outcome of one event: which version, whether it may run, in which environment.
import type { EnvironmentSpec, Invocation, InvokeResult } from '../../runtime/invocation.ts';
import { RestoreError } from '../../runtime/pool/snap-start.ts';
import { CapacityError } from '../../runtime/pool/waiting-calls.ts';
import type { RuntimeSupport, RuntimeVersion } from '../../runtime/runtimes/runtimes.ts';
import type { Functions, HeldFunction } from '../functions/functions.ts';
import { requireActive } from '../functions/lifecycle.ts';
import { functionArn, functionNotFound, resolveReference, type Scope } from '../functions/names.ts';
import type { AliasRecord, FunctionRecord, VersionRecord } from '../functions/record.ts';
import { drawnVersion } from '../functions/routing.ts';
import { pinnedRuntimeArn } from '../functions/runtime-management.ts';
import { requireSnapshot, restoreFailure } from '../functions/snap-start.ts';
import { findTarget, versionNamed } from '../functions/target.ts';
import { ServiceError } from '../service-error.ts';
import { type Concurrency, rateExceeded } from './concurrency.ts';

/** What the dispatcher needs of the warm pool. */
export interface Environments {
  invoke(spec: EnvironmentSpec, invocation: Invocation): Promise<InvokeResult>;
  /** Whether one more event that nobody waits for would be taken up soon, without standing in the way of others. */
  hasRoom(spec: EnvironmentSpec, tenantId: string): boolean;
}

export interface DispatcherOptions {
  readonly functions: Functions;
  readonly environments: Environments;
  readonly concurrency: Concurrency;
  readonly runtimeSupport: (runtime: string) => RuntimeSupport;
  readonly specOf: (
    record: FunctionRecord,
    version: VersionRecord,
    runtimeVersion: RuntimeVersion,
  ) => EnvironmentSpec;
  /** `x86_64` or `arm64`: what this machine executes. */
  readonly architecture: string;
  /** At least 0 and below 1, evenly spread: decides which version of an alias with weights runs. */
  readonly random: () => number;
}

/** A function version that can be invoked, as one caller named it. */
export interface InvokeTarget {
  readonly scope: Scope;
  readonly record: FunctionRecord;
  readonly version: VersionRecord;
  /** As the caller wrote it; undefined when none was given. */
  readonly qualifier: string | undefined;
  /** The ARN as invoked: with the qualifier only if one was given. */
  readonly invokedArn: string;
  /** ARN of the runtime version that alone may run it; undefined when the host decides. */
  readonly pinnedRuntime?: string | undefined;
}

/** An event, but for the name it is invoked by: that is the target's. */
export type DispatchedEvent = Omit<Invocation, 'invokedFunctionArn'>;

export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #specs = new WeakMap<VersionRecord, EnvironmentSpec>();

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  /**
   * Finds the version that a call means. Throws what Invoke answers for one that cannot be found or is not Active.
   * @param drawn the version that the qualifier meant when the call was accepted; it holds for as long as there is that version
   */
  resolve(
    scope: Scope,
    functionName: string,
    qualifier: string | undefined,
    drawn?: string,
  ): InvokeTarget {
    const reference = resolveReference(scope, functionName, qualifier);
    const { account, region } = scope;
    const held = this.#options.functions.held(account, region, reference.name);
    if (held === undefined)
      throw functionNotFound(scope, reference.name, reference.qualifier ?? '$LATEST');
    const version =
      (drawn === undefined ? undefined : versionNamed(held, drawn)) ??
      this.#version(scope, held, reference.qualifier);
    requireSnapshot(version);
    requireActive(version);
    const record = held.root;
    const invokedArn = functionArn(scope, record.name, reference.qualifier);
    const pinned = pinnedRuntimeArn(held.part('runtime-management', version.version));
    const { qualifier: named } = reference;
    return { scope, record, version, qualifier: named, invokedArn, pinnedRuntime: pinned };
  }

  /** Runs one event for a caller who waits. Errors of the function are values; what is thrown means that nothing ran. */
  invoke(target: InvokeTarget, event: DispatchedEvent): Promise<InvokeResult> {
    return this.#invoke(target, event, true);
  }

  /** Runs one event from the queue: as {@link invoke}, but not counted among the requests per second. */
  invokeQueued(target: InvokeTarget, event: DispatchedEvent): Promise<InvokeResult> {
    return this.#invoke(target, event, false);
  }

  /** Whether {@link invokeQueued} would run an event soon. Throws InvalidRuntimeException when this host never will. */
  hasRoom({ record, version }: InvokeTarget, tenantId: string): boolean {
    const { concurrency, environments } = this.#options;
    const spec = this.specOf(record, version);
    return (
      concurrency.hasRoom(spec.functionKey, spec.functionVersion) &&
      environments.hasRoom(spec, tenantId)
    );
  }

  async #invoke(
    target: InvokeTarget,
    event: DispatchedEvent,
    isRequest: boolean,
  ): Promise<InvokeResult> {
    const { concurrency, environments } = this.#options;
    const spec = this.specOf(target.record, target.version);
    requireRuntime(spec, target.pinnedRuntime);
    const admission = concurrency.enter(spec.functionKey, spec.functionVersion);
    try {
      if (isRequest) concurrency.countRequest(admission);
      return await environments.invoke(spec, { ...event, invokedFunctionArn: target.invokedArn });
    } catch (error) {
      if (error instanceof CapacityError)
        throw rateExceeded('ConcurrentInvocationLimitExceeded', { cause: error });
      if (error instanceof RestoreError) throw restoreFailure(error);
      throw error;
    } finally {
      concurrency.leave(admission);
    }
  }

  /** What environments of a version are. Throws InvalidRuntimeException when it cannot run on this host. */
  specOf(record: FunctionRecord, version: VersionRecord): EnvironmentSpec {
    const known = this.#specs.get(version);
    if (known !== undefined) return known;
    const spec = this.#options.specOf(record, version, this.#runtimeVersion(version));
    this.#specs.set(version, spec);
    return spec;
  }

  #version(scope: Scope, held: HeldFunction, qualifier: string | undefined): VersionRecord {
    if (qualifier === '$LATEST.PUBLISHED') return this.#newest(scope, held);
    const target = findTarget(held, qualifier);
    const version = target?.kind === 'alias' ? this.#drawn(held, target.alias) : target?.version;
    if (version === undefined) throw functionNotFound(scope, held.root.name, qualifier);
    // While `$LATEST` is updated, what it was before goes on.
    return version === held.root.latest ? (held.root.serving ?? version) : version;
  }

  #drawn(held: HeldFunction, alias: AliasRecord): VersionRecord | undefined {
    return versionNamed(held, drawnVersion(alias, this.#options.random));
  }

  #newest(scope: Scope, held: HeldFunction): VersionRecord {
    const newest = this.#options.functions.versionsOf(held).at(-1);
    if (newest !== undefined) return newest;
    throw new ServiceError(
      'NoPublishedVersionException',
      `The function ${functionArn(scope, held.root.name)} has no published version.`,
    );
  }

  #runtimeVersion({ settings }: VersionRecord): RuntimeVersion {
    const { architecture, runtimeSupport } = this.#options;
    const [wanted] = settings.architectures;
    if (wanted !== undefined && wanted !== architecture)
      throw new ServiceError(
        'InvalidRuntimeException',
        `This function is built for ${wanted}, and this machine executes ${architecture} only. Build it for ${architecture} and run: aws lambda update-function-code --function-name NAME --architectures ${architecture} --zip-file fileb://FILE`,
      );
    const support = runtimeSupport(settings.runtime);
    if (support.kind === 'available') return support.version;
    const { reason, remedy } = support.missing;
    throw new ServiceError(
      'InvalidRuntimeException',
      `The runtime ${settings.runtime} cannot run on this host: ${reason}. ${remedy}`,
    );
  }
}

/** A runtime version that was pinned is never replaced silently, by an upgrade of the host for one. */
function requireRuntime({ runtimeVersionArn }: EnvironmentSpec, pinned: string | undefined): void {
  if (pinned === undefined || pinned === runtimeVersionArn) return;
  throw new ServiceError(
    'InvalidRuntimeException',
    `The function is pinned to the runtime version ${pinned}, and this host has ${runtimeVersionArn}. To use it, run: aws lambda put-runtime-management-config --function-name NAME --update-runtime-on Auto`,
  );
}

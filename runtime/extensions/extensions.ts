// The extensions of one environment: who has registered, who is done with the phase that runs, who gets which event.

import { ACCEPTED, json, type Reply, refusal } from '../runtime-api/replies.ts';
import type { Message } from '../slots/messages.ts';
import {
  type Extension,
  type ExtensionEvent,
  type ExtensionEventType,
  type ExtensionState,
  type ExtensionWaiter,
  extensionMayFollow,
  isExtensionEventType,
} from './extension.ts';

export const MAX_EXTENSIONS = 10;

/** Events that wait for one extension. Who is waited for has two at most; one that nobody waits for may never fetch any. */
const MAX_PENDING = 100;

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** What a registered extension is told of its function. */
export interface FunctionFacts {
  readonly accountId: string;
  readonly functionName: string;
  readonly functionVersion: string;
  readonly handler: string;
}

/** What a function's variables say of it. */
export function factsIn(env: Readonly<Record<string, string>>): Omit<FunctionFacts, 'accountId'> {
  return {
    functionName: env['AWS_LAMBDA_FUNCTION_NAME'] ?? '',
    functionVersion: env['AWS_LAMBDA_FUNCTION_VERSION'] ?? '',
    handler: env['_HANDLER'] ?? '',
  };
}

export interface ExtensionsOptions {
  /** A UUID. */
  readonly newId: () => string;
  readonly facts: () => FunctionFacts;
  /** Somebody has registered, is done, or has ended. */
  readonly onChange: () => void;
  /** An extension has failed: the phase that runs fails. */
  readonly onFailed: (failure: Extract<Message, { kind: 'broken' }>) => void;
}

/** As a registering extension has asked: its name, what it accepts and its body. */
export interface Registration {
  readonly name: string;
  readonly features: readonly string[];
  readonly body: string;
}

export type Registered = { readonly reply: Reply; readonly id?: string | undefined };

export class Extensions {
  readonly #options: ExtensionsOptions;
  readonly #all = new Map<string, Extension>();
  #isRegistrationClosed = false;
  #isEnding = false;

  constructor(options: ExtensionsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#all.size;
  }

  /** All whose processes were started have registered. */
  get areRegistered(): boolean {
    return [...this.#all.values()].every(({ state }) => state !== 'Started');
  }

  /** All wait for their next event, or all that have a process of their own. */
  areReady(which: 'all' | 'external'): boolean {
    return [...this.#all.values()]
      .filter(({ isExternal }) => isExternal || which === 'all')
      .every(({ state, pending }) => state === 'Ready' && pending.length === 0);
  }

  /** Those that are told of the end have ended. */
  get haveEnded(): boolean {
    return [...this.#all.values()].every(
      ({ isExternal, events, hasEnded }) => !isExternal || !events.has('SHUTDOWN') || hasEnded,
    );
  }

  /** A process has been started for it. */
  expect(name: string): void {
    this.#all.set(name, this.#newExtension(name, true));
  }

  /** It could not be started. */
  launchFailed(name: string, errorType: string, reason: string): void {
    const extension = this.#newExtension(name, true);
    extension.state = 'LaunchError';
    extension.errorType = errorType;
    this.#all.set(name, extension);
    this.#options.onFailed({ kind: 'broken', errorType: 'Extension.LaunchError', reason });
  }

  /** The runtime has asked for its first event. */
  closeRegistration(): void {
    this.#isRegistrationClosed = true;
  }

  register({ name, features, body }: Registration): Registered {
    if (name === '') return forbidden('Extension.InvalidExtensionName', 'Empty extension name');
    const events = eventsIn(body);
    if (typeof events === 'string') return forbidden('InvalidRequestFormat', events);
    const expected = this.#all.get(name);
    const isExternal = expected?.isExternal === true;
    for (const event of events) {
      const problem = whyNotEvent(event, isExternal);
      if (problem !== undefined)
        return forbidden('Extension.InvalidEventType', `${String(event)}: ${problem}`);
    }
    const refused = expected === undefined ? this.#refuseInternal() : this.#refuseKnown(expected);
    if (refused !== undefined) return refused;
    const extension = expected ?? this.#newExtension(name, false);
    extension.state = 'Registered';
    for (const event of events) if (isExtensionEventType(event)) extension.events.add(event);
    this.#all.set(name, extension);
    this.#options.onChange();
    return { reply: json(200, this.#answer(features)), id: extension.id };
  }

  next(id: string, waiter: ExtensionWaiter): Reply | undefined {
    const extension = this.#identified(id);
    if (!('name' in extension)) return extension;
    const isWaiting = extension.state === 'Ready' && extension.waiter === undefined;
    if (!isWaiting && !extensionMayFollow(extension.state, 'Ready'))
      return invalidState(extension.state, 'Ready', extension.id);
    extension.state = 'Ready';
    extension.waiter = waiter;
    this.#options.onChange();
    this.#deliver(extension);
    return undefined;
  }

  /** It has hung up before anything was delivered. */
  forget(waiter: ExtensionWaiter): void {
    for (const extension of this.#all.values())
      if (extension.waiter === waiter) extension.waiter = undefined;
  }

  /** `init/error` and `exit/error`. */
  fail(id: string, state: 'InitError' | 'ExitError', errorType: string | undefined): Reply {
    const extension = this.#identified(id);
    if (!('name' in extension)) return extension;
    if (errorType === undefined)
      return forbidden('Extension.MissingHeader', 'Lambda-Extension-Function-Error-Type not found')
        .reply;
    if (!extensionMayFollow(extension.state, state))
      return invalidState(extension.state, state, extension.id);
    const isFirst = extension.state !== state;
    extension.state = state;
    if (isFirst) {
      extension.errorType = errorType;
      const { name } = extension;
      const reason = `${name} has reported ${errorType}`;
      this.#options.onFailed({ kind: 'broken', errorType: `Extension.${state}`, reason });
    }
    return ACCEPTED;
  }

  /** Its process has ended. */
  ended(name: string, code: number): void {
    const extension = this.#all.get(name);
    if (extension === undefined) return;
    extension.hasEnded = true;
    this.#options.onChange();
    const hasReported = extension.state === 'InitError' || extension.state === 'ExitError';
    if (this.#isEnding || hasReported) return;
    extension.errorType = 'Extension.Crash';
    this.#options.onFailed({
      kind: 'broken',
      errorType: 'Extension.Crash',
      reason: `exit code ${code}`,
    });
  }

  /** Tells those that want to know of an invocation. */
  invoke(body: object): void {
    this.#send('INVOKE', { eventType: 'INVOKE', ...body });
  }

  /** Tells those that want to know of the end. From here on none is missed. */
  shutDown(body: object): void {
    this.#isEnding = true;
    this.#send('SHUTDOWN', { eventType: 'SHUTDOWN', ...body });
  }

  /** What the log says of each when init ends. */
  records(): readonly Extract<Message, { kind: 'extension' }>[] {
    return [...this.#all.values()].map(({ name, state, events, errorType }) => ({
      kind: 'extension',
      name,
      state,
      events: [...events].toSorted(),
      errorType,
    }));
  }

  #send(type: ExtensionEventType, body: object): void {
    for (const extension of this.#all.values()) {
      if (!extension.events.has(type)) continue;
      if (extension.pending.length === MAX_PENDING) extension.pending.shift();
      extension.pending.push({ id: this.#options.newId(), body });
      this.#deliver(extension);
    }
  }

  #deliver(extension: Extension): void {
    const { waiter } = extension;
    if (waiter === undefined) return;
    const event: ExtensionEvent | undefined = extension.pending.shift();
    if (event === undefined) return;
    extension.waiter = undefined;
    extension.state = 'Running';
    waiter.deliver(event);
  }

  #identified(id: string): Extension | Reply {
    if (id === '')
      return forbidden(
        'Extension.MissingExtensionIdentifier',
        'Missing Lambda-Extension-Identifier header',
      ).reply;
    if (!UUID.test(id))
      return forbidden(
        'Extension.InvalidExtensionIdentifier',
        'Invalid Lambda-Extension-Identifier',
      ).reply;
    const found = [...this.#all.values()].find((each) => each.id === id.toLowerCase());
    return (
      found ?? forbidden('Extension.UnknownExtensionIdentifier', `Unknown extension ${id}`).reply
    );
  }

  #refuseInternal(): Registered | undefined {
    if (this.#isRegistrationClosed)
      return forbidden('Extension.RegistrationClosed', 'Extension registration closed already');
    if (this.#all.size >= MAX_EXTENSIONS)
      return forbidden(
        'Extension.TooManyExtensions',
        `Extension limit (${MAX_EXTENSIONS}) reached`,
      );
    return undefined;
  }

  #refuseKnown({ name, state, isExternal }: Extension): Registered | undefined {
    if (!isExternal)
      return forbidden(
        'Extension.InvalidExtensionState',
        'Extension with this name already registered',
      );
    if (extensionMayFollow(state, 'Registered')) return undefined;
    return { reply: invalidState(state, 'Registered', name) };
  }

  #newExtension(name: string, isExternal: boolean): Extension {
    return {
      name,
      isExternal,
      id: this.#options.newId(),
      state: 'Started',
      events: new Set(),
      waiter: undefined,
      pending: [],
      errorType: undefined,
      hasEnded: false,
    };
  }

  #answer(features: readonly string[]): object {
    const { accountId, functionName, functionVersion, handler } = this.#options.facts();
    const account = features.includes('accountId') ? { accountId } : {};
    return { ...account, functionName, functionVersion, handler };
  }
}

/** The events that a registration names, or what is wrong with it. */
function eventsIn(body: string): readonly unknown[] | string {
  try {
    const parsed = JSON.parse(body) as { events?: unknown; configurationKeys?: unknown } | null; // looked at member by member
    const { events = [], configurationKeys = [] } = parsed ?? {};
    if (Array.isArray(configurationKeys) && configurationKeys.length > 0)
      return 'configurationKeys are deprecated; use environment variables instead';
    return Array.isArray(events) ? events : 'events is not a list';
  } catch (error) {
    if (error instanceof SyntaxError) return error.message;
    throw error;
  }
}

function whyNotEvent(event: unknown, isExternal: boolean): string | undefined {
  if (!isExtensionEventType(event)) return 'ErrInvalidEventType';
  return event === 'SHUTDOWN' && !isExternal
    ? 'ShutdownEventNotSupportedForInternalExtension'
    : undefined;
}

function invalidState(from: ExtensionState, to: ExtensionState, name: string): Reply {
  return forbidden(
    'Extension.InvalidExtensionState',
    `State transition from ${from} to ${to} failed for extension ${name}. Error: State transition is not allowed`,
  ).reply;
}

function forbidden(errorType: string, errorMessage: string): { readonly reply: Reply } {
  return { reply: refusal(403, errorType, errorMessage) };
}

// One extension as the Extensions API knows it: its states, which may follow which, and what it subscribes to. Words are the service's.

/** Which state may follow which; asked for another one, an extension is answered 403. */
const NEXT_STATES = {
  Started: ['Registered', 'LaunchError'],
  Registered: ['Ready', 'InitError', 'ExitError'],
  Ready: ['Running', 'ExitError'],
  Running: ['Ready', 'ExitError'],
  InitError: ['InitError'],
  ExitError: ['ExitError'],
  LaunchError: [],
} as const satisfies Record<string, readonly string[]>;

export type ExtensionState = keyof typeof NEXT_STATES;

export function extensionMayFollow(from: ExtensionState, to: ExtensionState): boolean {
  const allowed: readonly string[] = NEXT_STATES[from];
  return allowed.includes(to);
}

export type ExtensionEventType = 'INVOKE' | 'SHUTDOWN';

export function isExtensionEventType(text: unknown): text is ExtensionEventType {
  return text === 'INVOKE' || text === 'SHUTDOWN';
}

/** The body of an event, and the id in its header. */
export interface ExtensionEvent {
  readonly id: string;
  readonly body: object;
}

/** Whoever waits for an extension's next event. */
export interface ExtensionWaiter {
  deliver(event: ExtensionEvent): void;
}

export interface Extension {
  readonly name: string;
  /** A process of its own; otherwise a part of the runtime's process. */
  readonly isExternal: boolean;
  /** What it is to call itself by, a UUID. */
  readonly id: string;
  state: ExtensionState;
  readonly events: Set<ExtensionEventType>;
  waiter: ExtensionWaiter | undefined;
  /** What it has not been told yet. */
  readonly pending: ExtensionEvent[];
  /** What it has said of its failure. */
  errorType: string | undefined;
  /** Its process has ended. */
  hasEnded: boolean;
}

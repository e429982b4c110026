// The states of a runtime as the Runtime API knows them, and which may follow which. Names and texts are the service's.

/** Which state may follow which; whoever asks for another one is answered 403. */
const NEXT_STATES = {
  Started: ['Ready', 'InitError', 'RestoreReady'],
  InitError: [],
  RestoreReady: ['Restoring'],
  Restoring: ['Ready', 'RestoreError'],
  RestoreError: [],
  // Asked again: the runtime has lost its connection, or its patience.
  Ready: ['Ready', 'Running'],
  // Asked again before it has answered: it gets the same event.
  Running: ['Running', 'InvocationResponse', 'InvocationErrorResponse'],
  InvocationResponse: ['RuntimeResponseSentState'],
  InvocationErrorResponse: ['RuntimeResponseSentState'],
  RuntimeResponseSentState: ['Ready'],
} as const satisfies Record<string, readonly string[]>;

export type RuntimeState = keyof typeof NEXT_STATES;

export const RUNTIME_STATES = Object.keys(NEXT_STATES) as readonly RuntimeState[]; // the keys of the table

export function mayFollow(from: RuntimeState, to: RuntimeState): boolean {
  const allowed: readonly string[] = NEXT_STATES[from];
  return allowed.includes(to);
}

/** What the runtime is told that has asked for a state it cannot reach. */
export function transitionRefusal(from: RuntimeState, to: RuntimeState): string {
  return `State transition from ${from} to ${to} failed for runtime. Error: State transition is not allowed`;
}

// The phases of an execution environment, and which may follow which.

/** `ending`: what may have begun is answered, nothing is taken any more. Only an environment itself changes its phase. */
const NEXT_PHASES = {
  created: ['init', 'gone'],
  init: ['idle', 'shutdown', 'gone'],
  idle: ['invoke', 'shutdown', 'gone'],
  invoke: ['idle', 'ending', 'shutdown', 'gone'],
  ending: ['gone'],
  shutdown: ['gone'],
  gone: [],
} as const satisfies Record<string, readonly string[]>;

export type Phase = keyof typeof NEXT_PHASES;

export function phaseMayFollow(from: Phase, to: Phase): boolean {
  const allowed: readonly Phase[] = NEXT_PHASES[from];
  return allowed.includes(to);
}

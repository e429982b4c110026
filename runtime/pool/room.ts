// Memory for environments: what all of them take together, and which of them make way for another one.
import type { Environment } from '../environment/environment.ts';
import type { Group } from './group.ts';

/**
 * Whether all environments fit into the budget; idle ones that nobody keeps are retired until they do, the least recently used
 * first. Those of one group may be spared.
 */
export function makeRoom(
  groups: Iterable<Group>,
  budgetMib: number,
  spared: Group | undefined,
  retire: (environment: Environment) => void,
): boolean {
  let usedMib = 0;
  const idle: Environment[] = [];
  for (const group of groups) {
    for (const environment of group.environments) usedMib += chargeMib(environment);
    if (group !== spared) idle.push(...group.idle);
  }
  idle.sort((a, b) => a.idleSinceMs - b.idleSinceMs);
  for (const environment of idle) {
    if (usedMib <= budgetMib) break;
    usedMib -= chargeMib(environment);
    retire(environment);
  }
  return usedMib <= budgetMib;
}

/** Whether there is any environment that was started for a call. */
export function isAnyOnDemand(groups: Iterable<Group>): boolean {
  for (const { environments, kept } of groups)
    if (environments.size > (kept?.environments.size ?? 0)) return true;
  return false;
}

/** What the environment counts with: when idle with what it uses, unless it is provisioned. */
function chargeMib({ spec, phase, isProvisioned, residentKib }: Environment): number {
  if (phase !== 'idle' || isProvisioned) return spec.memoryMib;
  return Math.min(spec.memoryMib, residentKib / 1024);
}

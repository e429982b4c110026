// The flags of Node that the command line gives to the host, for tests whose result depends on them.
import { readFileSync } from 'node:fs';
import path from 'node:path';

const LAUNCHER = path.join(import.meta.dirname, '../../bin/lambkin');

/** Throws when the launcher has none: a test would then prove nothing of the host. */
export function hostFlags(): readonly string[] {
  const flags = readFileSync(LAUNCHER, 'utf8').match(/(?<=\s)--[a-z][\w-]*(=\S+)?/g);
  if (flags === null) throw new Error('bin/lambkin gives no flags');
  return flags;
}

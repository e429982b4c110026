// A user of its own per slot, for a host that runs as root: which ids, and the command that drops to one.

/** Users nobody else has, so that limits and kills by user meet one slot only. */
const firstUid = 200_000;
const uidCount = 65_536;

/**
 * The user (and group) of slot `index` of this host. Hosts on one machine share the range; each starts at a place of its
 * own, taken from its id, and finds the same one again after a restart.
 */
export function slotUid(hostId: string, index: number): number {
  let hash = 2_166_136_261; // FNV-1a
  for (const byte of Buffer.from(hostId)) hash = Math.imul(hash ^ byte, 16_777_619) >>> 0;
  return firstUid + ((hash + index) % uidCount);
}

/** `command` as `uid`, without groups and without a way back. */
export function asUser(
  setpriv: string,
  uid: number,
  command: readonly string[],
): readonly string[] {
  return [
    setpriv,
    `--reuid=${uid}`,
    `--regid=${uid}`,
    '--clear-groups',
    '--no-new-privs',
    ...command,
  ];
}

/** The same where no namespace follows: also no capability to regain, and an end with the host's thread that spawned it. */
export function asUserAlone(
  setpriv: string,
  uid: number,
  command: readonly string[],
): readonly string[] {
  const more = ['--inh-caps=-all', '--bounding-set=-all', '--pdeathsig=KILL', ...command];
  return asUser(setpriv, uid, more);
}

// The process's peak memory for REPORT lines: getrusage where it can be believed, /proc where it cannot.
import { now, readFileSync, resourceUsage } from './primordials.ts';

/** Below this a difference between getrusage and the kernel's own mark is sampling, not inheritance. */
const SLACK_KIB = 2 * 1024;
/** A reading of /proc costs about 20 µs, so it is taken at most this often. */
const REFRESH_MS = 20;

/**
 * Returns a function that tells the peak resident size in KiB.
 * NOTE: Linux hands a parent's peak through vfork and exec, so a process started straight from a large host begins with the
 * host's figure in ru_maxrss. Until its own peak passes that, VmHWM (the current program's own) is read instead.
 */
export function createMaxRss(): () => number {
  const inheritedKib = resourceUsage().maxRSS;
  let ownKib = readPeakKib() ?? inheritedKib;
  if (inheritedKib - ownKib <= SLACK_KIB) return () => resourceUsage().maxRSS;
  let readAt = 0;
  return () => {
    const maxKib = resourceUsage().maxRSS;
    if (maxKib > inheritedKib) return maxKib;
    const time = now();
    if (Math.abs(time - readAt) >= REFRESH_MS) {
      ownKib = readPeakKib() ?? ownKib;
      readAt = time;
    }
    return ownKib;
  };
}

/** `undefined` without /proc (macOS, or a sandbox that hides it): getrusage is then all there is. */
function readPeakKib(): number | undefined {
  try {
    const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'latin1'))?.[1];
    return peak === undefined ? undefined : Number(peak);
  } catch {
    return undefined;
  }
}

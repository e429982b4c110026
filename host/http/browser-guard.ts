// The protection of a host that takes unsigned requests: a page in a browser must not drive it, neither by a name of its own
// that resolves to this machine (DNS rebinding) nor by a request across origins.
import { ServiceError } from '../service-error.ts';

export interface BrowserGuard {
  /** Throws AccessDeniedException (403) unless Host names this machine and Origin, if any, is our own. */
  check(rawHeaders: readonly string[]): void;
}

const loopbackName = /^(?:(?:[a-z0-9-]+\.)*localhost\.?|127(?:\.\d{1,3}){3}|\[::1\])$/;

/** `trustedHosts`: names beside the loopback ones that may stand in Host and Origin; without port. */
export function createBrowserGuard(options: {
  readonly trustedHosts: readonly string[];
}): BrowserGuard {
  const trusted = new Set(options.trustedHosts.map((name) => name.toLowerCase()));
  const isOurs = (name: string): boolean => loopbackName.test(name) || trusted.has(name);
  return {
    check(rawHeaders) {
      const hosts = valuesOf(rawHeaders, 'host');
      const [host = ''] = hosts;
      if (hosts.length !== 1 || !isOurs(nameOf(host))) {
        throw denied(
          `without authentication this host answers to loopback names only, not to '${host}'. Add the name to LAMBKIN_TRUSTED_HOSTS, or use --auth sigv4.`,
        );
      }
      for (const origin of valuesOf(rawHeaders, 'origin')) {
        if (isOwnOrigin(origin, host, trusted)) continue;
        throw denied(
          `without authentication this host does not serve pages of '${origin}'. Add its host name to LAMBKIN_TRUSTED_HOSTS, or use --auth sigv4.`,
        );
      }
    },
  };
}

/** Pages from another port of this machine are foreign too: whatever runs there is not us. */
function isOwnOrigin(origin: string, host: string, trusted: ReadonlySet<string>): boolean {
  const separator = origin.indexOf('://');
  if (separator === -1) return false;
  const authority = origin.slice(separator + 3).toLowerCase();
  return authority === host.toLowerCase() || trusted.has(nameOf(authority));
}

function nameOf(authority: string): string {
  return authority.toLowerCase().replace(/:\d*$/, '');
}

function valuesOf(rawHeaders: readonly string[], name: string): readonly string[] {
  const values: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const received = rawHeaders[index] ?? '';
    if (received.length === name.length && received.toLowerCase() === name) {
      values.push(rawHeaders[index + 1] ?? '');
    }
  }
  return values;
}

function denied(why: string): ServiceError {
  return new ServiceError('AccessDeniedException', `Request refused: ${why}`);
}

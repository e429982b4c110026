// The isolation report: per feature what was wanted, what the probes really got, and what would mend a difference.

import type { Backend } from './backend.ts';
import type { HostGroup } from './cgroup.ts';
import type { ProbeFacts } from './probe.ts';
import type { IsolationFeature, IsolationReport, IsolationTier } from './sandbox.ts';

/** All that the report is made from. */
export interface Findings {
  readonly tier: IsolationTier;
  readonly backend: Backend['kind'];
  readonly bwrapVersion: string;
  /** Undefined where nothing was probed: a plain process is held by nothing. */
  readonly facts: ProbeFacts | undefined;
  readonly group: HostGroup | undefined;
  /** Why there is no group; empty when there is one. */
  readonly groupReason: string;
  /** Why no stronger backend was taken; empty when it is the strongest. */
  readonly backendReason: string;
  /** A detour that was needed, for the information of the operator. */
  readonly note: string;
  readonly isRoot: boolean;
  readonly uidPerSlot: boolean;
}

type Line = Omit<IsolationFeature, 'feature' | 'probeMs'>;

export function isolationReport(findings: Findings): IsolationReport {
  const { facts } = findings;
  const viewMs = round(facts?.viewMs);
  const memoryMs = round(facts?.memoryMs);
  const feature = (name: IsolationFeature['feature'], probeMs: number, line: Line) =>
    ({ feature: name, probeMs, ...settled(line) }) satisfies IsolationFeature;
  return {
    tier: findings.tier,
    features: [
      feature('fs', viewMs, fileSystem(findings)),
      feature('pidns', viewMs, pidNamespace(findings)),
      feature('userIdentity', viewMs, userIdentity(findings)),
      feature('memory', memoryMs, memory(findings)),
      feature('pids', viewMs, processes(findings)),
      feature('cpu', 0, cpu(findings)),
      feature('tmpQuota', viewMs, tmpQuota(findings)),
      feature('seccomp', viewMs, seccomp(findings)),
      feature('network', 0, network(findings)),
      feature('kill', round(facts?.killMs), kill(findings)),
    ],
  };
}

/** A reason belongs to a difference only. */
function settled(line: Line): Line {
  return line.got === line.wanted ? { ...line, reason: '' } : line;
}

function round(ms: number | undefined): number {
  return Math.round((ms ?? 0) * 10) / 10;
}

function fileSystem({ backend, facts, bwrapVersion, backendReason, note }: Findings): Line {
  const wanted = 'read-only view without the host';
  if (backend !== 'bwrap') {
    const got = facts?.readsHostFiles === false ? "the host's files by their modes" : 'none';
    return {
      wanted,
      got,
      method: backend === 'uid' ? 'file modes' : 'none',
      reason: backendReason,
    };
  }
  const method = `bwrap ${bwrapVersion}${note === '' ? '' : `; ${note}`}`;
  const writable = facts?.writable ?? [];
  const got = writable.length === 0 ? wanted : `view with ${writable.join(', ')} writable`;
  return {
    wanted,
    got,
    method,
    reason: 'this bwrap does not remount; install bubblewrap 0.8 or newer',
  };
}

function pidNamespace({ backend, facts, backendReason }: Findings): Line {
  const wanted = 'own processes only';
  const isAlone = backend === 'bwrap' && (facts?.processesSeen ?? Number.POSITIVE_INFINITY) < 10;
  const got = isAlone ? wanted : 'all processes visible';
  return { wanted, got, method: isAlone ? 'pid namespace' : 'none', reason: backendReason };
}

function userIdentity({ isRoot, uidPerSlot, backend, backendReason }: Findings): Line {
  const wanted = 'a user per slot, no capabilities';
  if (uidPerSlot) return { wanted, got: wanted, method: 'setpriv', reason: '' };
  const got = backend === 'bwrap' ? "the host's user, in a user namespace" : "the host's user";
  const reason = isRoot
    ? backendReason
    : 'only root can give each slot a user; run the host as root';
  return { wanted, got, method: backend === 'bwrap' ? 'user namespace' : 'none', reason };
}

function memory({ group, facts, groupReason }: Findings): Line {
  const wanted = 'MemorySize, by the kernel';
  if (group !== undefined && facts?.memoryIsLimited === true) {
    return {
      wanted,
      got: 'MemorySize + EphemeralStorage by the kernel, MemorySize on processes by a 25 ms poll',
      method: group.method,
      reason:
        '/tmp is a tmpfs, whose pages the kernel charges to the same limit; no size-limited file system on disk is mounted per slot',
    };
  }
  return {
    wanted,
    got: '25 ms poll',
    method: 'poll, RLIMIT_DATA as backstop',
    reason: groupReason,
  };
}

function processes({ group, facts, backend, groupReason, backendReason }: Findings): Line {
  const wanted = 'limited';
  const got = facts?.processesAreLimited === true ? wanted : 'unlimited';
  const method = group?.method ?? (backend === 'process' ? 'none' : 'RLIMIT_NPROC');
  const reasons = new Set([groupReason, backendReason].filter(Boolean));
  return { wanted, got, method, reason: [...reasons].join('; ') };
}

function cpu({ group, groupReason }: Findings): Line {
  const wanted = 'weight proportional to MemorySize';
  if (group?.hasCpu === true) return { wanted, got: wanted, method: group.method, reason: '' };
  const reason = group === undefined ? groupReason : 'the cpu controller is not available';
  return { wanted, got: 'lower priority than the host', method: 'nice', reason };
}

function tmpQuota({ backend, facts, bwrapVersion, backendReason }: Findings): Line {
  const wanted = 'EphemeralStorage';
  if (backend !== 'bwrap') {
    return { wanted, got: 'none', method: 'directory on disk', reason: backendReason };
  }
  const got = facts?.tmpIsLimited === true ? wanted : 'none';
  const reason = `bwrap ${bwrapVersion} cannot limit a tmpfs; install bubblewrap 0.7 or newer`;
  return { wanted, got, method: 'tmpfs', reason };
}

function seccomp({ backend, facts, backendReason }: Findings): Line {
  const wanted = 'filter';
  if (backend !== 'bwrap') return { wanted, got: 'none', method: 'none', reason: backendReason };
  const got = facts?.hasFilter === true ? wanted : 'none';
  const reason = `no filter for ${process.arch}, or a kernel without CONFIG_SECCOMP_FILTER`;
  return { wanted, got, method: 'bwrap --seccomp', reason };
}

/** Nothing of ours blocks anything here, whatever the operator's own rules do. */
function network({ uidPerSlot, isRoot }: Findings): Line {
  const reach = 'functions can reach loopback and, in a cloud, 169.254.169.254';
  const rule = 'nftables: `meta skuid 200000-265535 ip daddr 169.254.0.0/16 drop`';
  const owner = isRoot ? 'a slot with a user of its own' : 'a slot of a host that runs as root';
  return {
    wanted: 'shared, cloud metadata blocked',
    got: 'shared, not blocked by us',
    method: 'none',
    reason: uidPerSlot
      ? `${reach}; to block it, ${rule}`
      : `${reach}; ${owner} can be named by a rule (${rule})`,
  };
}

function kill({ backend, group, backendReason }: Findings): Line {
  const wanted = 'the whole tree at once';
  if (backend === 'bwrap') {
    const more = group?.hasAtomicKill === true ? ', cgroup.kill' : '';
    return { wanted, got: wanted, method: `pid namespace${more}`, reason: '' };
  }
  if (group?.hasAtomicKill === true)
    return { wanted, got: wanted, method: 'cgroup.kill', reason: '' };
  if (backend === 'uid') {
    return {
      wanted,
      got: 'all processes of the user, one by one',
      method: 'user',
      reason: backendReason,
    };
  }
  const got = 'session and descendants; a daemon that leaves both survives';
  return { wanted, got, method: 'session', reason: backendReason };
}

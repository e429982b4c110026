// What the start report says of isolation, from the report of a real machine or from one put together here.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { isolationLine } from '../../host/cli/isolation-line.ts';
import { type Findings, isolationReport } from '../../runtime/sandbox/report.ts';

/** Everything reached but a remark on the network; findings given replace. */
function findings(more: Partial<Findings>): Findings {
  return {
    tier: 'full',
    backend: 'bwrap',
    bwrapVersion: '0.8.0',
    facts: undefined,
    group: undefined,
    groupReason: '',
    backendReason: '',
    note: '',
    isRoot: true,
    uidPerSlot: true,
    ...more,
  };
}

const noBwrap = 'bwrap is missing; install the package bubblewrap';
const readOnly = 'cgroup v2 is not writable (EROFS); mount /sys/fs/cgroup read-write';

suite('The isolation line', () => {
  test('names the tier, what decides it with its cure, and nothing else', () => {
    const uid = findings({ tier: 'partial-uid', backend: 'uid', backendReason: noBwrap });
    assert.equal(
      isolationLine(isolationReport(uid), 'auto'),
      `partial-uid: ${noBwrap}; see GET /_lambkin/isolation`,
    );
    const partial = findings({ tier: 'partial', groupReason: readOnly, isRoot: false });
    assert.equal(
      isolationLine(isolationReport(partial), 'auto'),
      `partial: ${readOnly}; see GET /_lambkin/isolation`,
    );
    const none = findings({ tier: 'none', backend: 'process', backendReason: 'said:\n\tno' });
    assert.equal(
      isolationLine(isolationReport(none), 'auto'),
      'none: said: no; see GET /_lambkin/isolation',
    );
  });

  test('says of isolation that is switched off how to have it, not what the machine lacks', () => {
    const off = findings({ tier: 'none', backend: 'process', backendReason: noBwrap });
    const line = isolationLine(isolationReport(off), 'off');
    assert.match(line, /^none: switched off by --isolation or LAMBKIN_ISOLATION; auto reaches/);
    assert.doesNotMatch(line, /bwrap|loopback/);
  });

  test('of the full tier says which features have remarks', () => {
    const features = isolationReport(findings({})).features.filter(
      ({ feature }) => feature === 'network' || feature === 'userIdentity',
    );
    assert.equal(
      isolationLine({ tier: 'full', features }, 'auto'),
      'full; with remarks on network: see GET /_lambkin/isolation',
    );
    assert.equal(isolationLine({ tier: 'full', features: [] }, 'auto'), 'full');
  });
});

test('Root is not told to become root, whatever is missing; others are where it helps', () => {
  const reasonsOf = (isRoot: boolean) =>
    (['bwrap', 'uid', 'process'] as const).flatMap((backend) =>
      isolationReport(findings({ backend, isRoot, uidPerSlot: false })).features.map(
        ({ reason }) => reason,
      ),
    );
  assert.doesNotMatch(reasonsOf(true).join('\n'), /as root/);
  assert.match(reasonsOf(false).join('\n'), /run the host as root/);
});

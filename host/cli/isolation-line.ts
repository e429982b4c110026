// The line of the start report about isolation: the tier, why it is not the strongest, and what to do next.
import type {
  IsolationFeature,
  IsolationReport,
  IsolationTier,
} from '../../runtime/sandbox/sandbox.ts';
import type { HostConfig } from '../config.ts';

/** Where the report stands feature by feature. */
const WHOLE_REPORT = 'see GET /_lambkin/isolation';

/** What keeps a machine at a tier: the reason of the first of these features that has one. */
const DECISIVE: Readonly<Record<Exclude<IsolationTier, 'full'>, IsolationFeature['feature'][]>> = {
  none: ['fs'],
  'partial-uid': ['fs'],
  partial: ['pids', 'memory'],
};

/** One line, without what the tier does not depend on. Reasons name their cure, one that the host's user can take. */
export function isolationLine(
  { tier, features }: IsolationReport,
  mode: HostConfig['isolation']['mode'],
): string {
  if (tier === 'full') {
    const remarks = features.filter(({ reason }) => reason !== '').map(({ feature }) => feature);
    return remarks.length === 0
      ? tier
      : `full; with remarks on ${remarks.join(', ')}: ${WHOLE_REPORT}`;
  }
  if (mode === 'off')
    return `${tier}: switched off by --isolation or LAMBKIN_ISOLATION; auto reaches the strongest tier this machine holds`;
  const reasons = DECISIVE[tier].map((name) => reasonOf(features, name));
  const why = reasons.find((reason) => reason !== '') ?? 'a probe found less than was wanted';
  return `${tier}: ${why.replaceAll(/\s+/g, ' ')}; ${WHOLE_REPORT}`;
}

function reasonOf(
  features: readonly IsolationFeature[],
  name: IsolationFeature['feature'],
): string {
  return features.find(({ feature }) => feature === name)?.reason ?? '';
}

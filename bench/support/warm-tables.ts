// The tables of warm-invoke: ratios first, then the figures that they are made of.
import {
  type Combo,
  controlRatio,
  isDisturbed,
  ratio,
  type Sample,
  type Window,
} from './paired-windows.ts';
import type { Spread, Table } from './scenario.ts';
import { median, spread } from './stats.ts';

export interface Names {
  readonly subject: string;
  readonly baseline: string;
}

export function warmTables(
  combos: readonly Combo[],
  samples: readonly Sample[],
  names: Names,
): Table[] {
  const groups = combos.map((combo) => samples.filter((sample) => sample.combo === combo));
  const rows = (row: (own: readonly Sample[]) => Table['rows'][number]) =>
    combos.map((combo, at) => ({
      'body B': combo.bodyBytes,
      callers: combo.callers,
      ...row(groups[at] ?? []),
    }));
  const { subject, baseline } = names;
  return [
    {
      title: `Ratio of ${subject} to ${baseline}: median (quartiles) over rounds`,
      rows: rows((own) => ({
        rounds: own.length,
        throughput: ratios(own, 'perSecond'),
        p50: ratios(own, 'p50Us'),
        p99: ratios(own, 'p99Us'),
        'host CPU per request': ratios(own, 'hostCpuUs'),
        'tree CPU per request': ratios(own, 'treeCpuUs'),
      })),
    },
    {
      title: `Control: each later ${baseline} window to the earlier one beside it (1 on a quiet machine)`,
      rows: rows((own) => ({
        throughput: spread(own.map((sample) => controlRatio(sample, 'perSecond'))),
        p50: spread(own.map((sample) => controlRatio(sample, 'p50Us'))),
        p99: spread(own.map((sample) => controlRatio(sample, 'p99Us'))),
        'most wrk used, % of a core': mostOf(own, 'generatorShare') * 100,
        'others, cores': median(own.map(({ otherCores }) => otherCores)),
        'disturbed rounds': own.filter(isDisturbed).length,
      })),
    },
    absoluteTable(
      subject,
      rows((own) => absolutes(own.map((sample) => sample.subject))),
    ),
    absoluteTable(
      baseline,
      rows((own) => absolutes(own.flatMap(({ before, after }) => [before, after]))),
    ),
  ];
}

function absoluteTable(name: string, rows: Table['rows']): Table {
  return { title: `${name}: median (quartiles) over windows`, rows };
}

function absolutes(windows: readonly Window[]): Record<string, Spread> {
  const of = (figure: keyof Window) => spread(windows.map((window) => window[figure]));
  return {
    'requests/s': of('perSecond'),
    'p50 µs': of('p50Us'),
    'p99 µs': of('p99Us'),
    'host CPU µs/request': of('hostCpuUs'),
    'tree CPU µs/request': of('treeCpuUs'),
  };
}

function ratios(samples: readonly Sample[], figure: keyof Window): Spread {
  return spread(samples.map((sample) => ratio(sample, figure)));
}

function windows({ before, subject, after }: Sample): readonly Window[] {
  return [before, subject, after];
}

function mostOf(samples: readonly Sample[], figure: keyof Window): number {
  return Math.max(...samples.flatMap(windows).map((window) => window[figure]));
}

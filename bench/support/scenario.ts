// What a scenario is to bench/run.ts, and the form its figures take.

/** A flag of one scenario, beside those that all have; the form of node:util's parseArgs. */
export interface Flag {
  readonly type: 'string' | 'boolean';
  readonly about: string;
}

export interface ScenarioOptions {
  /** How often everything is measured; each scenario has its own default. */
  readonly rounds: number | undefined;
  /** Values of the scenario's own flags, as given. */
  readonly flags: Readonly<Record<string, string | boolean | undefined>>;
  /** Aborted: end everything that was started, and reject. */
  readonly signal: AbortSignal;
  /** A number in [0, 1). */
  readonly random: () => number;
  /** One line for whoever waits. */
  readonly progress: (line: string) => void;
}

/** Every file in bench/ and bench/micro/ exports these; its name is its path without `.ts`. */
export interface Scenario {
  readonly name: string;
  /** One line. */
  readonly about: string;
  readonly flags?: Readonly<Record<string, Flag>>;
  run(options: ScenarioOptions): Promise<Figures>;
}

/** Median and quartiles of one figure over rounds. */
export interface Spread {
  readonly median: number;
  readonly q1: number;
  readonly q3: number;
}

export type Cell = number | string | Spread;

export interface Table {
  readonly title: string;
  /** Keys are column heads and carry the unit. Every row has the same ones. */
  readonly rows: readonly Readonly<Record<string, Cell>>[];
}

export interface Figures {
  readonly tables: readonly Table[];
  /** What a reader must know beside the figures. */
  readonly notes: readonly string[];
}

/** Numbers by what they measure, with the unit: `p50 ms`, `per s`. */
export type Values = Readonly<Record<string, number>>;

/** One number that a workload measured in one round. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  /** The same number of the ceiling, which was measured in the same round. */
  readonly ceiling?: number | undefined;
  /** The highest value that is right; a higher value fails the run. */
  readonly most?: number;
}

type Measurement = () => Promise<Values>;

/** One round of a workload. */
export interface Trial<Count extends string = string> {
  /** How long one measurement lasts. */
  readonly seconds: number;
  readonly counts: Readonly<Record<Count, number>>;
  /**
   * Measures two things one after the other, and returns the figures of the first. The second is
   * the ceiling: what could be reached at best. Which of both goes first changes with each round.
   */
  beside(name: string, measured: Measurement, ceiling: Measurement): Promise<Figure[]>;
  /** Tells the person who waits what happens. */
  note(text: string): void;
}

/** Something to measure. Each round calls `measure` once, which starts all processes anew. */
export interface Workload<Count extends string = string> {
  readonly name: string;
  /** One line. */
  readonly description: string;
  /** Sizes with their defaults; a flag of the same name changes a size. */
  readonly counts?: Readonly<Record<Count, number>>;
  /** Returns why the workload can't run on this machine; undefined if it can. */
  missing?(): string | undefined;
  measure(trial: Trial<Count>): Promise<readonly Figure[]>;
}

/** Returns figures that have no ceiling. */
export function figures(name: string, values: Values, ceiling: Values = {}): Figure[] {
  return Object.entries(values).map(([what, value]) => {
    return { name: `${name}: ${what}`, value, ceiling: ceiling[what] };
  });
}

/** A number of things that must not happen. */
export function none(name: string, value: number): Figure {
  return { name, value, most: 0 };
}

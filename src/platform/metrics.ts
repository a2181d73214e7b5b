type Labels = Readonly<Record<string, string>>;

/** A value that is read at a scrape: one number, or one number for each set of labels. */
export type Reading = number | readonly { readonly labels: Labels; readonly value: number }[];

export interface Described {
  /** Begins with `tertulia_` and ends with the unit; a counter's name ends with `_total`. */
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
}

/** What a role measures. Most values are read only at a scrape, so measuring costs almost nothing. */
export interface Metrics {
  /** Adds a value that only rises. */
  counter(described: Described, read: () => Reading): void;
  /** Adds a value that rises and falls. */
  gauge(described: Described, read: () => Reading): void;
  /**
   * Adds a distribution. @param bounds the highest value of each bucket
   * @returns a function that records one value
   */
  histogram(described: Described, bounds: readonly number[]): (value: number) => void;
}

/** For a process whose metrics nobody wants. */
export const noMetrics: Metrics = { counter() {}, gauge() {}, histogram: () => () => {} };

/** A line of a file that was changed after it was written, or is missing. */
export interface Damage {
  readonly path: string;
  /** The line's number, from 1. */
  readonly line: number;
  readonly why: string;
}

export function describeDamage({ path, line, why }: Damage): string {
  return `${path}:${line} is damaged (${why})`;
}

/** A place on disk that is not as it was written, or is gone. */
export interface Damage {
  readonly path: string;
  /** From 1. */
  readonly line: number;
  readonly why: string;
}

export function describeDamage({ path, line, why }: Damage): string {
  return `${path}:${line} is damaged (${why})`;
}

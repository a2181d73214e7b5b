/** What the key of a sealed publication is derived from (X5). */
export interface TopicKey {
  readonly topic: string;
  /** Days since 1970, in UTC. */
  readonly day: number;
  /** Of the recipient's credential for a private topic, so that another password ends it; else "". */
  readonly version: string;
}

const dayMs = 86_400_000;

export function dayOf(timeMs: number): number {
  return Math.floor(timeMs / dayMs);
}

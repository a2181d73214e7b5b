import type { ServerName } from "./ids.ts";

/** A numbered list of the member servers; number 0 is the view of nobody. */
export interface View {
  readonly number: number;
  readonly members: readonly ServerName[];
}

export const noView: View = { number: 0, members: [] };

export function quorumOf(view: View): number {
  return Math.floor(view.members.length / 2) + 1;
}

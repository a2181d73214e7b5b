/** Why a peer is refused, or cut off. */
export type RefusedBecause =
  | "notZmtp"
  | "keyWanted"
  | "memberWanted"
  | "otherKey"
  | "otherSocket"
  | "tooLarge"
  | "malformed";

/** A peer's bytes break the protocol or a bound, or prove nothing: its connection ends. */
export class Refused extends Error {
  readonly because: RefusedBecause;

  constructor(because: RefusedBecause, detail: string) {
    super(detail);
    this.because = because;
  }
}

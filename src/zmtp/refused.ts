/** The reason for which a peer is refused or cut off. */
export type RefusedBecause =
  | "notZmtp"
  | "keyWanted"
  | "keyUnwanted"
  | "memberWanted"
  | "otherKey"
  | "otherSocket"
  | "tooLarge"
  | "malformed";

/**
 * The error for a peer that breaks the protocol or a bound, or that can't prove what the door
 * requires. Its connection must end.
 */
export class Refused extends Error {
  readonly because: RefusedBecause;

  constructor(because: RefusedBecause, detail: string) {
    super(detail);
    this.because = because;
  }
}

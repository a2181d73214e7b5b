import type { CardId } from "./cards.ts";
import type { MatchId, Players, RulesName } from "./matches.ts";

/** A player's side of a match. */
export type Seat = 0 | 1;

/** What somebody may see of a table; a player sees their own hand, and nobody else's. */
export interface TableView {
  /** The number of the round or turn, from 1 on. */
  readonly round: number;
  /** Whose move it is; both in a game in which both move at once; none once the match is over. */
  readonly turn: readonly Seat[];
  /** Milliseconds since 1970 at which the time of those whose turn it is, is over. */
  readonly deadlineMs?: number | undefined;
  /** By seat. */
  readonly sides: readonly [SideView, SideView];
}

export interface SideView {
  /** Only for the player of this side. */
  readonly hand?: readonly CardId[] | undefined;
  readonly handSize: number;
  readonly deckSize: number;
  /** Rounds won (clash) or life (duel). */
  readonly score: number;
  /** What the player can pay with (duel). */
  readonly points?: number | undefined;
  /** The card that lies on the table; `hidden` if the viewer may not see it yet. */
  readonly table?: CardId | "hidden" | undefined;
}

/** An event of a match as a viewer may see it. */
export interface ShownEvent {
  readonly eventSeq: number;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** What somebody may see of a match. */
export interface MatchView {
  readonly match: MatchId;
  readonly rules: RulesName;
  readonly players: Players;
  /** The viewer's seat; undefined for a spectator. */
  readonly seat?: Seat | undefined;
  /** By seat, whether the player has chosen their cards. */
  readonly ready: readonly [boolean, boolean];
  /** Undefined until both are ready. */
  readonly table?: TableView | undefined;
  /** The time until which both must have chosen their cards; undefined once they have. */
  readonly prepareUntilMs?: number | undefined;
  /** Undefined until the match is over. */
  readonly over?:
    | { readonly winner?: Seat | undefined; readonly isVoid?: true | undefined }
    | undefined;
  /** The hash of the seed of all chance, and the seed once the match is over. */
  readonly seedHash: string;
  readonly seed?: string | undefined;
  /** The number of the last event that this view shows. */
  readonly eventSeq: number;
}

import type { CardId } from "../../protocol/cards.ts";
import type { UserName } from "../../protocol/ids.ts";
import type { GameName, MatchId, Players, RulesName, Term } from "../../protocol/matches.ts";
import type { Happening, Move, Seat } from "./rules/rules.ts";
import type { Stamp } from "./stamps.ts";

/** What somebody wants to happen in a match. */
export type Action =
  /** A player chooses the cards to play with, perhaps those of a pack just bought. */
  | {
      readonly type: "ready";
      readonly seat: Seat;
      readonly cards: readonly CardId[];
      readonly pack?: string | undefined;
    }
  /** A player ends the match, or was away for too long. */
  | { readonly type: "giveUp"; readonly seat: Seat; readonly isGone?: true | undefined }
  | Move;

/** An action with what identifies and orders it. */
export interface Operation {
  /** Identifies the operation in its match, so that a repeated one takes effect once. */
  readonly id: string;
  /** The game server that made the operation for its player. */
  readonly origin: GameName;
  readonly stamp: Stamp;
  readonly action: Action;
}

/** For each type of event of a match's log, its data. */
export interface EventData {
  /** The first event. The seed is the only source of chance; its hash is told at once. */
  MATCH_FOUND: {
    readonly rules: RulesName;
    readonly players: Players;
    readonly seed: string;
    readonly seedHash: string;
  };
  DECK_CHOSEN: { readonly seat: Seat; readonly cards: readonly CardId[] };
  PURCHASE_PACK: { readonly seat: Seat; readonly cards: readonly CardId[]; readonly pack: string };
  /** Both players are ready, and the cards are dealt. */
  MATCH_START: Record<never, never>;
  CARD_PLAYED: Omit<Happening & { readonly type: "CARD_PLAYED" }, "type">;
  CARD_COUNTERED: Omit<Happening & { readonly type: "CARD_COUNTERED" }, "type">;
  PASSED: Omit<Happening & { readonly type: "PASSED" }, "type">;
  ROUND_END: Readonly<Record<string, unknown>>;
  GAVE_UP: { readonly seat: Seat; readonly isGone?: true | undefined };
  /** From here on the match has its next term, perhaps with another host or shadow. */
  FAILOVER: { readonly old: Term; readonly new: Term };
  /** The seed is no secret any more. */
  MATCH_END: {
    readonly winner?: Seat | undefined;
    readonly isVoid?: true | undefined;
    readonly seed: string;
  };
}

export type EventType = keyof EventData;

/** What becomes an event. `operation` is the id of the operation that caused it, if one did. */
export type Draft = {
  [T in EventType]: {
    readonly type: T;
    readonly data: EventData[T];
    readonly player?: UserName | undefined;
    readonly operation?: string | undefined;
  };
}[EventType];

/** An event of a match's log. `eventSeq` counts from 0 without a gap. */
export type MatchEvent = Draft & {
  readonly eventSeq: number;
  readonly matchId: MatchId;
  readonly term: number;
  /** Milliseconds since 1970; never lower than that of the event before. */
  readonly timestamp: number;
  readonly clock: Stamp;
  /** HMAC-SHA256 over the event and the signature of the event before, in hex. */
  readonly signature: string;
};

type Unsigned = Omit<MatchEvent, "signature">;

/** Makes and checks signatures, by a key that is derived for the match. */
export interface Signer {
  sign(match: MatchId, text: string): string;
  /** Also accepts signatures by a secret that is being replaced. */
  isSigned(match: MatchId, text: string, signature: string): boolean;
}

export function signed(event: Unsigned, previous: string, signer: Signer): MatchEvent {
  const signature = signer.sign(event.matchId, signedText(event, previous));
  return { ...event, signature } as MatchEvent;
}

/**
 * Returns why the events do not follow each other after the event with the signature `previous`;
 * undefined if they do.
 */
export function whyBroken(
  events: readonly MatchEvent[],
  { match, from, previous }: { match: MatchId; from: number; previous: string },
  signer: Signer,
): "signature_wrong" | "event_seq_wrong" | undefined {
  let before = previous;
  let seq = from;
  for (const event of events) {
    if (event.matchId !== match || event.eventSeq !== seq) return "event_seq_wrong";
    const text = signedText(event, before);
    if (!signer.isSigned(match, text, event.signature)) return "signature_wrong";
    before = event.signature;
    seq += 1;
  }
  return undefined;
}

/** The text that is signed: all fields in one order, so that equal events have equal texts. */
function signedText(event: Unsigned & { readonly signature?: string }, previous: string): string {
  const { signature: _, ...fields } = event;
  return `${canonical(fields)}\n${previous}`;
}

/** JSON whose maps have their keys in one order, without fields that are undefined. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const fields = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, field]) => `${JSON.stringify(name)}:${canonical(field)}`);
  return `{${fields.join(",")}}`;
}

import { createHash } from "node:crypto";
import { ProtocolError } from "../../protocol/errors.ts";
import type { Fields } from "../../protocol/fields.ts";
import { parseGameRequest } from "../../protocol/game-codec.ts";
import type { GameRequest, PlayerAction } from "../../protocol/game-requests.ts";
import type { Seat, ShownEvent } from "../../protocol/game-view.ts";
import { parseRequestId, type UserName } from "../../protocol/ids.ts";
import type { MatchId } from "../../protocol/matches.ts";
import type { Command } from "./envelope.ts";

export type Act = GameRequest & { readonly type: "act" };

interface Target {
  readonly user: UserName;
  readonly match: MatchId;
}

/**
 * Returns what a command does in a match; undefined if the command is no action.
 * @throws ProtocolError that names the wrong field
 */
export function actOf({ name, fields }: Command, { user, match }: Target): Act | undefined {
  const wanted = wantedAction(name, fields);
  if (wanted === undefined) return undefined;
  const given = parseRequestId(fields.id);
  // The codec needs some id, and the right one depends on the action that the codec returns.
  const request = parseGameRequest("act", { id: "x", match, action: wanted }) as Act;
  const mark = given === undefined ? ownMark(request.action, fields) : ["id", given];
  return { ...request, id: hashOf([user, ...mark]) };
}

/** Returns the action in the words of the codec, with unchecked fields. */
function wantedAction(name: string, fields: Fields): object | undefined {
  switch (name) {
    case "COMPRAR_PACOTE":
      return { type: "ready", pack: fields.pacote ?? "basic" };
    case "USAR_BARALHO":
      return { type: "ready", cards: fields.cartas };
    case "JOGAR_CARTA":
      return { type: "play", card: fields.carta_id };
    case "ANULAR":
      return { type: "counter", card: fields.carta_id };
    case "PASSAR":
      return { type: "pass" };
    case "DESISTIR":
      return { type: "giveUp" };
    default:
      return undefined;
  }
}

/**
 * Returns what tells an action from every other action of the player in the match, and is equal for
 * each repetition of it, also at another game server. A packet's own number would not do: numbers
 * begin again with each connection, and come again after 65,535 packets; nor would the state of the
 * match when the packet arrives: it may have changed by the first copy of the packet. So the mark
 * has only what the action is about:
 *
 * - A card leaves the hand once in a match, and never returns, so the card tells a play or counter.
 * - A player passes once in a round at most. Only the client knows which round it meant, so it says
 *   so in `rodada`. Without it, a repeated PASSAR could pass the next round.
 * - A player is ready once, and gives up once. The choice belongs to the mark, because another
 *   choice may follow one that was refused.
 *
 * A client may set `dados.id` instead; then it answers for its ids.
 */
function ownMark(action: PlayerAction, fields: Fields): readonly string[] {
  switch (action.type) {
    case "play":
    case "counter":
      return [action.type, action.card];
    case "pass": {
      const round = roundOf(fields);
      if (round === undefined) {
        throw new ProtocolError("bad_request", "`rodada` must be the number of the round.");
      }
      return [action.type, String(round)];
    }
    case "ready":
      return [action.type, action.pack ?? "", ...(action.cards ?? [])];
    case "giveUp":
      return [action.type];
  }
}

/** Returns the round that the client means; undefined if it does not say. */
export function roundOf({ rodada }: Fields): number | undefined {
  return Number.isSafeInteger(rodada) ? (rodada as number) : undefined;
}

/** Identifies a message of the chat whose sender says that it may come again. */
export function chatId(user: UserName, fields: Fields): string | undefined {
  const given = parseRequestId(fields.id);
  return given === undefined ? undefined : hashOf([user, "chat", given]);
}

/** Whether an action for a round has taken effect, as the match's events tell. */
export function hasHappened(
  { action }: Act,
  { seat, round }: { readonly seat: Seat | undefined; readonly round: number },
  events: readonly ShownEvent[],
): boolean {
  return events.some(({ type, data }, at) => {
    if (data.seat !== seat) return false;
    if (action.type === "play") return type === "CARD_PLAYED" && data.card === action.card;
    if (action.type === "counter") return type === "CARD_COUNTERED" && data.card === action.card;
    return type === "PASSED" && events[at + 1]?.data.round === round;
  });
}

/** Short enough that a purchase, whose id is made of it and of the match, has the whole of it. */
function hashOf(parts: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 32);
}

import { kindOf } from "../protocol/cards.ts";
import { decode } from "../protocol/codec.ts";
import { PeerMessageError } from "../protocol/errors.ts";
import { type Field, type Fields, isMap, object, optional, textIfAny } from "../protocol/fields.ts";
import { parseGameRequest } from "../protocol/game-codec.ts";
import { gameLimits } from "../protocol/game-limits.ts";
import { parseUserName } from "../protocol/ids.ts";
import { parseClock } from "../protocol/lamport-clock.ts";
import { isGameName, isMatchId, type MatchId, rulesNames, type Term } from "../protocol/matches.ts";
import type { GameMessage, Waiting } from "./core/effects.ts";
import type { Action, MatchEvent, Operation } from "./core/match-event.ts";
import type { Seat } from "./core/rules/rules.ts";
import type { Stamp } from "./core/stamps.ts";

/**
 * Reads what another game server sends: a list of messages. The sender is a member of the cluster, but
 * it may run another version. The content of events is not read here: their signatures prove who made them.
 * @throws PeerMessageError if the payload is malformed
 */
export function parseGameMessages(payload: Uint8Array): readonly GameMessage[] {
  let value: unknown;
  try {
    value = decode(payload);
  } catch {
    throw new PeerMessageError("it can't be decoded");
  }
  return listOf(messageOf)(value, "messages");
}

const messageOf: Field<GameMessage> = (value, name) => {
  const fields = mapOf(value, name);
  const type = text(fields.type, "type") as GameMessage["type"];
  const parse = Object.hasOwn(parsers, type) ? parsers[type] : undefined;
  if (parse === undefined) throw new PeerMessageError(`there is no message "${type}"`);
  return { type, ...parse(fields) } as GameMessage;
};

const wrong = (name: string) => new PeerMessageError(`\`${name}\` is wrong`);

function mapOf(value: unknown, name: string): Fields {
  if (isMap(value)) return value;
  throw wrong(name);
}

const count: Field<number> = (value, name) => {
  const number = parseClock(value);
  if (number === undefined) throw wrong(name);
  return number;
};

const text: Field<string> = (value, name) => {
  if (typeof value === "string" && value.length <= 256) return value;
  throw wrong(name);
};

const match: Field<MatchId> = (value, name) => {
  if (isMatchId(value)) return value;
  throw wrong(name);
};

function listOf<T>(item: Field<T>): Field<readonly T[]> {
  return (value, name) => {
    if (!Array.isArray(value)) throw wrong(name);
    return value.map((one) => item(one, name));
  };
}

const gameName: Field<Term["host"]> = (value, name) => {
  if (isGameName(value)) return value;
  throw wrong(name);
};

const stamp: Field<Stamp> = (value, name) => {
  const entries = Object.entries(mapOf(value, name));
  return Object.fromEntries(entries.map(([game, n]) => [gameName(game, name), count(n, name)]));
};

const term: Field<Term> = (value, name) => {
  const { term: number, host, shadow } = mapOf(value, name);
  return { term: count(number, name), host: gameName(host, name), shadow: gameIfAny(shadow, name) };
};

const gameIfAny = optional(gameName);

const seat: Field<Seat> = (value, name) => {
  if (value === 0 || value === 1) return value;
  throw wrong(name);
};

const card: Field<string> = (value, name) => {
  if (typeof value === "string" && kindOf(value) !== undefined) return value;
  throw wrong(name);
};

const action: Field<Action> = (value, name) => {
  const fields = mapOf(value, name);
  switch (fields.type) {
    case "timeOut":
      return { type: "timeOut" };
    case "play":
    case "counter":
      return { type: fields.type, seat: seat(fields.seat, name), card: card(fields.card, name) };
    case "pass":
      return { type: "pass", seat: seat(fields.seat, name) };
    case "giveUp": {
      const isGone = fields.isGone === true ? true : undefined;
      return { type: "giveUp", seat: seat(fields.seat, name), isGone };
    }
    case "ready": {
      const cards = listOf(card)(fields.cards, name);
      const pack = textIfAny(fields.pack);
      return { type: "ready", seat: seat(fields.seat, name), cards, pack };
    }
    default:
      throw wrong(name);
  }
};

const operation: Field<Operation> = (value, name) => {
  const fields = mapOf(value, name);
  return {
    id: text(fields.id, name),
    origin: gameName(fields.origin, name),
    stamp: stamp(fields.stamp, name),
    action: action(fields.action, name),
  };
};

const event: Field<MatchEvent> = (value, name) => {
  const fields = mapOf(value, name);
  const { type, data, player, operation: cause } = fields;
  return {
    type: text(type, name),
    data: mapOf(data, name),
    player: textIfAny(player),
    operation: textIfAny(cause),
    eventSeq: count(fields.eventSeq, name),
    matchId: match(fields.matchId, name),
    term: count(fields.term, name),
    timestamp: count(fields.timestamp, name),
    clock: stamp(fields.clock, name),
    signature: text(fields.signature, name),
  } as MatchEvent;
};

const waiting: Field<Waiting> = (value, name) => {
  const { user, rules, rating, waitedMs } = mapOf(value, name);
  const found = rulesNames.find((one) => one === rules);
  const isNumber = Number.isFinite(rating) && Number.isFinite(waitedMs);
  if (found === undefined || !isNumber) throw wrong(name);
  return {
    user: parseUserName(user, name),
    rules: found,
    rating: rating as number,
    waitedMs: waitedMs as number,
  };
};

const someWaiting: Field<readonly Waiting[]> = (value, name) =>
  listOf(waiting)(value, name).slice(0, gameLimits.toldPlayers);

const answered: Field<Fields> = (value, name) => {
  const fields = mapOf(value, name);
  if (isMap(fields.answer) || typeof fields.refused === "string") return fields;
  throw wrong(name);
};

const ofMatch = { match, term: count };
const ofRound = { ...ofMatch, round: count };

const parsers: Readonly<Record<GameMessage["type"], (fields: Fields) => object>> = {
  hello: object({ start: text, waiting: someWaiting }),
  propose: object({ ...ofRound, base: count, timeMs: count, operations: listOf(operation) }),
  ack: object({ ...ofRound, refused: textIfAny }),
  check: object(ofRound),
  checked: object({ ...ofRound, refused: textIfAny }),
  commit: object({ ...ofRound, events: listOf(event) }),
  rollback: object(ofRound),
  committed: object({ ...ofMatch, length: count }),
  behind: object(ofMatch),
  adopt: object({ match, term, events: listOf(event) }),
  stale: object({ match, term }),
  lost: object(ofMatch),
  over: object({ match }),
  invite: object({ match, events: listOf(event) }),
  accepted: object({ match }),
  declined: object({ match }),
  asked: (fields) => {
    const request = mapOf(fields.request, "request");
    return {
      number: count(fields.number, "number"),
      user: parseUserName(fields.user, "user"),
      request: parseGameRequest(text(request.type, "type"), request),
      stamp: stamp(fields.stamp, "stamp"),
      only: fields.only === undefined ? undefined : match(fields.only, "only"),
    };
  },
  answered: object({ number: count, answered }),
  notHost: object({ number: count }),
};

import { type CardId, kindOf, packNames } from "./cards.ts";
import { decode, encode, type Format, formatOf, whyUndecodable } from "./codec.ts";
import { type ErrorCode, isErrorCode, ProtocolError } from "./errors.ts";
import { type Fields, fieldsOf, isMap, textIfAny } from "./fields.ts";
import { gameDurations, gameLimits } from "./game-limits.ts";
import type { GameAnswer, GameRequest, LookedAt, PlayerAction } from "./game-requests.ts";
import { parseRequestId, parseUserName, type UserName } from "./ids.ts";
import { parseClock } from "./lamport-clock.ts";
import { limits } from "./limits.ts";
import { isMatchId, rulesNames } from "./matches.ts";
import { parseTrace } from "./parse-steps.ts";
import { eventId, token as tokenOf } from "./request-fields.ts";
import type { Trace } from "./steps.ts";

interface Sender {
  readonly user: UserName;
  /** The token of a session, in a cluster with accounts. */
  readonly token?: string | undefined;
}

/** What a player sends to a game server. */
export interface PlayerMessage extends Sender {
  readonly request: GameRequest;
}

/** Asks what the game servers did with an action, or in a match (Q30). */
export interface TraceQuestion extends Sender {
  readonly of: string;
}

/**
 * A request on the wire: `{service, data}`, as MessagePack or JSON. The service is the request's type;
 * the data has the request's other fields, and `user` and `token`.
 */
export function encodePlayerMessage({ user, token, request }: PlayerMessage): Uint8Array {
  const { type, ...fields } = request;
  return encode({ service: type, data: { ...fields, user, token } });
}

export const traceService = "trace";

export function encodeTraceQuestion(data: TraceQuestion): Uint8Array {
  return encode({ service: traceService, data });
}

/** @throws ProtocolError that names the wrong field */
export function parsePlayerMessage(payload: Uint8Array): PlayerMessage {
  const { service, data } = messageIn(payload);
  const request = parseGameRequest(service, data);
  return { ...senderOf(data), request };
}

/** @throws ProtocolError that names the wrong field */
export function parseTraceQuestion(payload: Uint8Array): TraceQuestion {
  const { data } = messageIn(payload);
  return { ...senderOf(data), of: eventId(data.of, "of") };
}

function messageIn(payload: Uint8Array) {
  if (payload.byteLength > limits.requestBytes) {
    throw new ProtocolError("too_large", `A request may have ${limits.requestBytes} bytes.`);
  }
  const format = formatOf(payload);
  let value: unknown;
  try {
    value = decode(payload, format);
  } catch (error) {
    throw bad(whyUndecodable(error, format));
  }
  if (!isMap(value) || !isMap(value.data)) throw bad("A request is a map of `service` and `data`.");
  const { service, data } = value;
  return { service: serviceOf(service), data };
}

function senderOf(data: Fields): Sender {
  const token = data.token == null ? undefined : tokenOf(data.token, "token");
  return { user: parseUserName(data.user, "user"), token };
}

function serviceOf(value: unknown): string {
  if (typeof value === "string") return value;
  throw bad("`service` must be a string.");
}

/** @throws ProtocolError that names the wrong field */
export function parseGameRequest(service: string, data: Fields): GameRequest {
  switch (service) {
    case "enter":
      return { type: "enter", rules: rulesOf(data.rules) };
    case "leave":
      return { type: "leave" };
    case "look": {
      const of = data.of == null ? undefined : parseUserName(data.of, "of");
      const waitMs = Math.min(parseClock(data.waitMs ?? 0) ?? 0, gameDurations.lookMs);
      return { type: "look", of, after: lookedAt(data.after), waitMs };
    }
    case "act": {
      const id = parseRequestId(data.id);
      if (id === undefined) throw bad("`id` must identify the action.");
      if (!isMatchId(data.match)) throw bad("`match` must have 16 digits of hexadecimal.");
      return { type: "act", id, match: data.match, action: parseAction(data.action) };
    }
    default:
      throw new ProtocolError("unknown_service", `There is no service "${service.slice(0, 64)}".`);
  }
}

/** @throws ProtocolError that names what is wrong */
function parseAction(value: unknown): PlayerAction {
  if (!isMap(value)) throw bad("`action` must be a map with a `type`.");
  switch (value.type) {
    case "play":
    case "counter":
      return { type: value.type, card: cardOf(value.card) };
    case "pass":
    case "giveUp":
      return { type: value.type };
    case "ready": {
      const pack = value.pack == null ? undefined : packOf(value.pack);
      const cards = value.cards == null ? undefined : cardsOf(value.cards);
      return { type: "ready", pack, cards };
    }
    default:
      throw bad("`action` must be one of ready, play, counter, pass, giveUp.");
  }
}

function lookedAt(value: unknown): LookedAt | undefined {
  if (!isMap(value)) return undefined;
  const { match, eventSeq } = value;
  const seq = typeof eventSeq === "number" && Number.isSafeInteger(eventSeq) ? eventSeq : -1;
  return { match: isMatchId(match) ? match : undefined, eventSeq: seq };
}

function rulesOf(value: unknown) {
  const rules = rulesNames.find((name) => name === value);
  if (rules === undefined) throw bad(`\`rules\` must be one of ${rulesNames.join(", ")}.`);
  return rules;
}

function packOf(value: unknown) {
  const pack = packNames.find((name) => name === value);
  if (pack === undefined) throw bad(`\`pack\` must be one of ${packNames.join(", ")}.`);
  return pack;
}

function cardOf(value: unknown): CardId {
  if (typeof value === "string" && kindOf(value) !== undefined) return value;
  throw bad("`card` must be the id of a card, such as wolf-common-3.");
}

function cardsOf(value: unknown): readonly CardId[] {
  if (!Array.isArray(value) || value.length > gameLimits.deckCards) {
    throw bad(`\`cards\` must be a list of at most ${gameLimits.deckCards} cards.`);
  }
  return value.map(cardOf);
}

/** Which request is answered, and in which format. */
interface Asked {
  readonly service: string;
  readonly format: Format;
}

/** Reads what the answer to a request needs, also if the request itself is invalid. */
export function askedIn(payload: Uint8Array): Asked {
  const format = formatOf(payload);
  try {
    const { service } = fieldsOf(decode(payload, format));
    return { format, service: typeof service === "string" ? service.slice(0, 64) : "" };
  } catch {
    return { format, service: "" };
  }
}

export function encodeGameAnswer({ service, format }: Asked, answer: object): Uint8Array {
  return encode({ service, data: { status: "OK", ...answer } }, format);
}

export function encodeGameError({ service, format }: Asked, error: ProtocolError): Uint8Array {
  const { code, message: description, retry } = error;
  return encode({ service, data: { status: "erro", code, description, retry } }, format);
}

/** @throws ProtocolError with the code and the description that the game server sent */
export function parseGameAnswer(payload: Uint8Array): GameAnswer {
  const answer = answerIn(payload);
  const isAnswer = typeof answer.phase === "string" || typeof answer.eventSeq === "number";
  if (!isAnswer) throw bad("The game server's answer has neither a phase nor an event.");
  return answer as unknown as GameAnswer;
}

/** @throws ProtocolError as `parseGameAnswer` */
export function parseTraceAnswer(payload: Uint8Array): Trace {
  return parseTrace(answerIn(payload));
}

function answerIn(payload: Uint8Array): Fields {
  const value = decode(payload);
  const data = isMap(value) && isMap(value.data) ? value.data : undefined;
  if (data === undefined) throw bad("The game server's answer is no map.");
  if (data.status === "erro") {
    const code: ErrorCode = isErrorCode(data.code) ? data.code : "internal";
    throw new ProtocolError(code, textIfAny(data.description) ?? code);
  }
  const { status: _, ...answer } = data;
  return answer;
}

function bad(description: string): ProtocolError {
  return new ProtocolError("bad_request", description);
}

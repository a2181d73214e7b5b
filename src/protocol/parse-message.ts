import {
  type Envelope,
  type HistoryQuery,
  type Incoming,
  type NamesQuery,
  type PresenceState,
  presenceStates,
  type Refused,
  type Request,
} from "./client-messages.ts";
import { countElements, decode, type Format, formatOf, isArray, whyUndecodable } from "./codec.ts";
import { parseCursor } from "./cursor.ts";
import { ProtocolError } from "./errors.ts";
import { type Fields, isMap } from "./fields.ts";
import {
  assertReadable,
  characters,
  parseChannelName,
  parseRequestId,
  parseUserName,
  type RequestId,
} from "./ids.ts";
import { parseClock } from "./lamport-clock.ts";
import { limits } from "./limits.ts";
import { parseVector } from "./vector.ts";

export interface Payload {
  readonly format: Format;
  /** Whether the reply is an array (W2). */
  readonly batch: boolean;
  readonly requests: readonly Incoming[];
}

/** A request that is too large is read only for its service and `id`: long texts are skipped. */
const glance = { values: 4_096, bytes: 4 * limits.idCharacters } as const;

/** The gate of a server: whatever the bytes, there is something to answer (W7). */
export function parsePayload(bytes: Uint8Array): Payload {
  const format = formatOf(bytes);
  const large = refuseLarge(bytes, format);
  if (large !== undefined) return single(format, large);
  let value: unknown;
  try {
    value = decode(bytes, format, { values: limits.payloadValues });
  } catch (error) {
    return single(format, refuse("bad_request", whyUndecodable(error, format)));
  }
  if (!Array.isArray(value)) return single(format, parseRequest(value));
  if (value.length === 0) return single(format, refuse("bad_request", wrongLength(0)));
  return { format, batch: true, requests: value.map(parseRequest) };
}

function single(format: Format, request: Incoming): Payload {
  return { format, batch: false, requests: [request] };
}

function refuse(code: Refused["refused"]["code"], description: string, service = "error"): Refused {
  return { service, refused: { code, description }, clock: undefined, id: undefined };
}

/** What is above a bound is refused by its size, before it is decoded (W11). */
function refuseLarge(bytes: Uint8Array, format: Format): Refused | undefined {
  if (!isArray(bytes)) {
    if (bytes.byteLength <= limits.requestBytes) return undefined;
    const [what, most] =
      bytes.byteLength > limits.batchBytes
        ? ["payload", limits.batchBytes]
        : ["request", limits.requestBytes];
    return refuseLargeRequest(bytes, format, `A ${what} may have ${most} bytes.`);
  }
  if (bytes.byteLength > limits.batchBytes) {
    const text = `An array of requests may have ${limits.batchBytes} bytes.`;
    return refuse("too_large", text);
  }
  const length = countElements(bytes, format);
  return length > limits.batchRequests ? refuse("too_large", wrongLength(length)) : undefined;
}

function wrongLength(length: number): string {
  return `An array must hold 1 to ${limits.batchRequests} requests; it has ${length}.`;
}

/** The error has the request's service and `id`, if they can be read: so the client knows it again. */
function refuseLargeRequest(bytes: Uint8Array, format: Format, description: string): Refused {
  let value: unknown;
  try {
    value = format === "json" ? undefined : decode(bytes, format, glance);
  } catch {
    // It has too many values, or is malformed too: then the error has neither.
  }
  const refused = refuse("too_large", description, isMap(value) ? serviceOf(value) : "error");
  const data = isMap(value) && isMap(value.data) ? value.data : {};
  const isId = typeof data.id === "string" && data.id.length <= limits.idCharacters;
  return {
    ...refused,
    clock: parseClock(data.clock),
    id: isId ? (data.id as RequestId) : undefined,
  };
}

function serviceOf(value: Fields): string {
  const { service } = value;
  return typeof service === "string" && service.length >= 1 && service.length <= 64
    ? service
    : "error";
}

function parseRequest(value: unknown): Incoming {
  if (!isMap(value))
    return refuse("bad_request", "A request must be a map of `service` and `data`.");
  const service = serviceOf(value);
  if (service === "error") {
    return refuse("bad_request", "`service` must be a string of 1 to 64 characters.");
  }
  const data = value.data;
  if (!isMap(data)) return refuse("bad_request", "`data` must be a map.", service);
  // Some plain clients put the clock beside `data` (W4).
  const clock = parseClock(data.clock ?? value.clock);
  let id: RequestId | undefined;
  try {
    id = parseRequestId(data.id);
    if (id !== undefined) assertReadable(id, "id");
    const after = data.after == null ? undefined : parseVector(data.after, "after");
    const token = parseToken(data.token);
    const envelope = { clock, id, after, timestamp: parseOwnTime(data.timestamp), token };
    return parseService(service, data, envelope);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return { service, refused: { code: error.code, description: error.message }, clock, id };
  }
}

function parseService(service: string, data: Fields, envelope: Envelope): Request {
  switch (service) {
    case "login":
      return {
        ...envelope,
        service,
        user: parseUserName(data.user),
        password: data.password == null ? undefined : parsePassword(data.password),
      };
    case "register":
      return {
        ...envelope,
        service,
        user: parseUserName(data.user),
        password: parsePassword(data.password),
        invitation: parseInvitation(data.invitation),
      };
    case "password":
      return {
        ...envelope,
        service,
        user: parseUserName(data.user),
        password: parsePassword(data.password),
        newPassword: parsePassword(data.newPassword, "newPassword"),
      };
    case "account":
      return { ...envelope, service, user: parseUserName(data.user), change: parseChange(data) };
    case "registration":
      return { ...envelope, service, ...parseRegistration(data) };
    case "removal":
      return {
        ...envelope,
        service,
        channel: parseChannelName(data.channel),
        isRemoved: parseRemoved(data.removed),
      };
    case "keys":
      return { ...envelope, service, topics: parseTopics(data.topics) };
    case "presence": {
      const client = parseClient(data.client);
      assertReadable(client, "client");
      const user = parseUserName(data.user);
      return { ...envelope, service, user, client, state: parsePresenceState(data.state) };
    }
    case "users":
    case "channels":
      return { ...envelope, service, ...parseNamesQuery(data) };
    case "time":
    case "status":
      return { ...envelope, service };
    case "channel": {
      const user = data.user == null ? undefined : parseUserName(data.user);
      return { ...envelope, service, channel: parseChannelName(data.channel), user };
    }
    case "publish":
      return {
        ...envelope,
        service,
        user: parseUserName(data.user),
        channel: parseChannelName(data.channel),
        message: parseText(data.message),
      };
    case "message":
      return {
        ...envelope,
        service,
        src: parseUserName(data.src, "src"),
        dst: parseUserName(data.dst, "dst"),
        message: parseText(data.message),
      };
    case "history":
      return { ...envelope, service, ...parseHistoryQuery(data) };
    default:
      throw new ProtocolError("unknown_service", `There is no service "${service}".`);
  }
}

function parseText(value: unknown): string {
  if (typeof value !== "string") {
    throw new ProtocolError("bad_request", "`message` must be a string.");
  }
  const length = characters(value);
  if (length < 1 || length > limits.messageCharacters) {
    throw new ProtocolError(
      length < 1 ? "bad_request" : "too_large",
      `\`message\` must have 1 to ${limits.messageCharacters} characters; it has ${length}.`,
    );
  }
  return value.toWellFormed();
}

function parsePassword(value: unknown, field = "password"): string {
  if (typeof value !== "string") {
    throw new ProtocolError("bad_request", `\`${field}\` must be a string.`);
  }
  assertReadable(value, field);
  const password = value.length > 4 * limits.passwordCharacters ? value : value.normalize("NFC");
  const length = characters(password);
  if (length < 1 || length > limits.passwordCharacters) {
    throw new ProtocolError(
      length < 1 ? "bad_request" : "too_large",
      `\`${field}\` must have 1 to ${limits.passwordCharacters} characters.`,
    );
  }
  return password;
}

function parseToken(value: unknown): string | undefined {
  if (value == null) return undefined;
  if (typeof value !== "string" || value.length > limits.tokenCharacters) {
    throw new ProtocolError(
      "bad_request",
      `\`token\` must be a string of at most ${limits.tokenCharacters} characters.`,
    );
  }
  return value;
}

function parseInvitation(value: unknown): string | undefined {
  if (value == null) return undefined;
  const [least, most] = [limits.invitationCharactersLeast, limits.invitationCharacters];
  if (typeof value !== "string" || value.length < least || value.length > most) {
    throw new ProtocolError(
      "bad_request",
      `\`invitation\` must be a string of ${least} to ${most} characters.`,
    );
  }
  assertReadable(value, "invitation");
  return value;
}

function parseChange({ locked, administrator, newPassword }: Fields) {
  const given = [locked, administrator, newPassword].filter((value) => value != null);
  if (given.length !== 1) {
    throw new ProtocolError(
      "bad_request",
      "`account` takes one of `locked`, `administrator`, `newPassword`.",
    );
  }
  if (newPassword != null) return { newPassword: parsePassword(newPassword, "newPassword") };
  const flag = locked == null ? "administrator" : "locked";
  const isSet = locked ?? administrator;
  if (typeof isSet !== "boolean") {
    throw new ProtocolError("bad_request", `\`${flag}\` must be true or false.`);
  }
  return { flag, isSet } as const;
}

function parseRegistration({ mode, invitation }: Fields) {
  if (mode !== "open" && mode !== "closed" && mode !== "invitation") {
    throw new ProtocolError("bad_request", "`mode` must be open, closed or invitation.");
  }
  const told = parseInvitation(invitation);
  if ((mode === "invitation") !== (told !== undefined)) {
    throw new ProtocolError("bad_request", "`invitation` belongs to the mode invitation.");
  }
  return { mode, invitation: told } as const;
}

function parseRemoved(value: unknown): boolean {
  if (typeof value === "boolean") return value;
  throw new ProtocolError("bad_request", "`removed` must be true or false.");
}

function parseTopics(value: unknown): string[] {
  const most = limits.keysTopics;
  const isList = Array.isArray(value) && value.length >= 1 && value.length <= most;
  if (!isList || !value.every((topic) => typeof topic === "string" && topic.length <= 66)) {
    throw new ProtocolError("bad_request", `\`topics\` must be 1 to ${most} topics.`);
  }
  return value as string[];
}

/** What tells the clients of one user apart. */
export function parseClient(value: unknown): string {
  if (value == null) return "";
  if (typeof value !== "string" || characters(value) > limits.idCharacters) {
    throw new ProtocolError(
      "bad_request",
      `\`client\` must be a string of at most ${limits.idCharacters} characters.`,
    );
  }
  return value.toWellFormed();
}

export function parsePresenceState(value: unknown): PresenceState {
  const state = presenceStates.find((one) => one === value);
  if (state !== undefined) return state;
  throw new ProtocolError("bad_request", `\`state\` must be one of ${presenceStates.join(", ")}.`);
}

/**
 * The client's own time in whatever form: it is only echoed (W3). Numbers beyond the safe integers
 * are not taken, since they could come back as others.
 */
function parseOwnTime(value: unknown): string | number | undefined {
  if (typeof value === "number" && Math.abs(value) <= Number.MAX_SAFE_INTEGER) return value;
  if (typeof value !== "string" || value.length > limits.timestampCharacters) return undefined;
  return value.toWellFormed();
}

/** A beginning of a name, normalised as names are: else it would be the beginning of none. */
function parseNamePart(value: unknown, field: "prefix" | "from"): string | undefined {
  if (value == null) return undefined;
  const isText = typeof value === "string" && value.length <= 4 * limits.nameCharacters;
  const part = isText ? value.normalize("NFC").toWellFormed() : "";
  if (!isText || characters(part) > limits.nameCharacters) {
    throw new ProtocolError(
      "bad_request",
      `\`${field}\` must be a string of at most ${limits.nameCharacters} characters.`,
    );
  }
  return part;
}

function parseNamesQuery(data: Fields): NamesQuery {
  return {
    prefix: parseNamePart(data.prefix, "prefix"),
    from: parseNamePart(data.from, "from"),
    limit: data.limit === undefined ? undefined : parseLimit(data.limit),
  };
}

function parseLimit(limit: unknown): number {
  if (
    !Number.isInteger(limit) ||
    (limit as number) < 1 ||
    (limit as number) > limits.historyEntries
  ) {
    throw new ProtocolError("bad_request", `\`limit\` must be 1 to ${limits.historyEntries}.`);
  }
  return limit as number;
}

function parseHistoryQuery(data: Fields): HistoryQuery {
  const { channel, user, before, since } = data;
  if ((channel == null) === (user == null)) {
    throw new ProtocolError("bad_request", "`history` takes either `channel` or `user`.");
  }
  if (data.with != null && user == null) {
    throw new ProtocolError("bad_request", "`with` goes with `user` only.");
  }
  if (before != null && since != null) {
    throw new ProtocolError("bad_request", "`history` takes either `before` or `since`.");
  }
  return {
    conversation:
      channel == null ? { user: parseUserName(user) } : { channel: parseChannelName(channel) },
    with: data.with == null ? undefined : parseUserName(data.with, "with"),
    before: before == null ? undefined : parseCursor(before),
    since: since == null ? undefined : parseVector(since, "since"),
    limit: parseLimit(data.limit ?? limits.historyEntriesDefault),
  };
}

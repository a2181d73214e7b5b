import { ProtocolError } from "./errors.ts";
import { hasFittingJoiners } from "./joiners.ts";
import { limits } from "./limits.ts";

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/**
 * A user's name: 1–64 letters, digits, `_`, `-` or `.`, in NFC, without a leading `.`. Joiners are
 * allowed where a script needs them.
 */
export type UserName = Branded<"UserName">;
/** A channel's name; the rules of user names apply. */
export type ChannelName = Branded<"ChannelName">;
/** The name of an incoming webhook; the rules of user names apply. */
export type HookName = Branded<"HookName">;
/** Identifies a hook: the hash of its token, 32 hex digits, from which nobody finds the token. */
export type HookId = Branded<"HookId">;
/** A server's name: `server_` and 8 hex digits, generated at random once for each data folder. */
export type ServerName = Branded<"ServerName">;
/** The idempotency key of a request; retries of the request repeat the key (R6). */
export type RequestId = Branded<"RequestId">;
/**
 * In hex, the first 16 bytes of the hash that links an event to the previous event of its server
 * (J5).
 */
export type Chain = Branded<"Chain">;

/** The value that precedes the chain of a server's first event. */
export const emptyChain = "0".repeat(32) as Chain;

const reservedNames = new Set(["servers", "replication"]);
/**
 * Matches a name on disk. The name may have letters that this process's Unicode does not have,
 * because the name's writer may have used another version. No matched character can split a line or
 * a topic.
 */
const writtenPattern = /^(?!\.)[\w.\-\u00a1-\u2027\u202a-\ud7ff\ue000-\u{10ffff}]{1,64}$/u;
const namePattern = /^[\p{L}\p{N}_-][\p{L}\p{N}\p{M}\p{Join_Control}_.-]*$/u;
/**
 * Matches invisible characters that names must not contain. These characters have their own error
 * message, because a user can't see them in a pasted name.
 */
const invisiblePattern = /[^\P{Cf}\p{Join_Control}]/u;
const serverPattern = /^server_[0-9a-f]{8}$/;
const chainPattern = /^[0-9a-f]{32}$/;

export function isServerName(value: unknown): value is ServerName {
  return typeof value === "string" && serverPattern.test(value);
}

export function isChain(value: unknown): value is Chain {
  return typeof value === "string" && chainPattern.test(value);
}

/**
 * Returns the number of code points, which is roughly the number of characters that a person
 * counts.
 */
export function characters(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

/**
 * Refuses U+FFFD in texts that identify something (W14). Decoding replaces invalid UTF-8 by U+FFFD,
 * so two different texts could have become equal.
 * @throws ProtocolError `bad_request`
 */
export function assertReadable(value: string, field: string): void {
  if (value.isWellFormed() && !value.includes("\ufffd")) return;
  throw new ProtocolError("bad_request", `\`${field}\` must be text in UTF-8.`);
}

function parseName(value: unknown, field: string): string {
  const refusal = (why: string) => new ProtocolError("name_invalid", `\`${field}\` ${why}`);
  if (typeof value !== "string") throw refusal("must be a string.");
  assertReadable(value, field);
  // The length in code units is checked first, because normalising a megabyte would take long.
  const most = limits.nameCharacters;
  const name = value.length > 4 * most ? value : value.normalize("NFC");
  const length = characters(name);
  if (length < 1 || length > most) {
    throw refusal(`must have 1 to ${most} characters; it has ${length}.`);
  }
  if (invisiblePattern.test(name)) throw refusal("holds a character that nobody sees.");
  if (!namePattern.test(name)) {
    throw refusal('may hold letters, digits, "_", "-" and ".", and not begin with ".".');
  }
  if (!hasFittingJoiners(name)) {
    throw refusal("holds a joiner (U+200C, U+200D) where no script needs one.");
  }
  if (reservedNames.has(name)) throw refusal(`may not be "${name}", which is reserved.`);
  return name;
}

/** @throws ProtocolError `name_invalid` with the field and the bound in its description */
export function parseUserName(value: unknown, field = "user"): UserName {
  return parseName(value, field) as UserName;
}

/** @throws ProtocolError `name_invalid` with the field and the bound in its description */
export function parseChannelName(value: unknown, field = "channel"): ChannelName {
  return parseName(value, field) as ChannelName;
}

/** @throws ProtocolError `name_invalid` with the field and the bound in its description */
export function parseHookName(value: unknown, field = "name"): HookName {
  return parseName(value, field) as HookName;
}

/**
 * Reads a name that a server has written (W18). The name is not changed, because the writer's
 * version of Unicode may know more letters than this process.
 * @throws Error if the value can't be a name
 */
export function readUserName(value: unknown): UserName {
  return readName(value) as UserName;
}

/** @throws Error if the value can't be a name */
export function readChannelName(value: unknown): ChannelName {
  return readName(value) as ChannelName;
}

/** @throws Error if the value can't be a name */
export function readHookName(value: unknown): HookName {
  return readName(value) as HookName;
}

/** @throws Error if the value can't be a hook's id */
export function readHookId(value: unknown): HookId {
  if (isChain(value)) return value as string as HookId;
  throw new Error("it is not a hook's id");
}

function readName(value: unknown): string {
  if (typeof value === "string" && writtenPattern.test(value) && !reservedNames.has(value)) {
    return value;
  }
  throw new Error("it is not a name");
}

/**
 * Returns undefined if the value is missing.
 * @throws ProtocolError `bad_request` unless the value is a string of 1 to 64 characters
 */
export function parseRequestId(value: unknown): RequestId | undefined {
  if (value == null) return undefined;
  const most = limits.idCharacters;
  if (typeof value === "string" && value.length >= 1 && characters(value) <= most) {
    return value.toWellFormed() as RequestId;
  }
  throw new ProtocolError("bad_request", `\`id\` must be a string of 1 to ${most} characters.`);
}

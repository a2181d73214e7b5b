import { type CardId, kindOf, type PackName, packNames } from "./cards.ts";
import { type PresenceState, presenceStates } from "./client-messages.ts";
import { type ErrorCode, ProtocolError } from "./errors.ts";
import type { Field } from "./fields.ts";
import { assertReadable, characters } from "./ids.ts";
import { parseClock } from "./lamport-clock.ts";
import { limits } from "./limits.ts";
import { readTerms, type SearchTerm } from "./search-words.ts";

function refusal(description: string, code: ErrorCode = "bad_request"): ProtocolError {
  return new ProtocolError(code, description);
}

export const yesOrNo: Field<boolean> = (value, name) => {
  if (typeof value === "boolean") return value;
  throw refusal(`\`${name}\` must be true or false.`);
};

export function oneOf<T extends string>(values: readonly T[], said: string): Field<T> {
  return (value, name) => {
    const found = values.find((one) => one === value);
    if (found === undefined) throw refusal(`\`${name}\` must be ${said}.`);
    return found;
  };
}

export const presenceState: Field<PresenceState> = oneOf(
  presenceStates,
  `one of ${presenceStates.join(", ")}`,
);

export const message: Field<string> = (value, name) => {
  if (typeof value !== "string") throw refusal(`\`${name}\` must be a string.`);
  const [length, most] = [characters(value), limits.messageCharacters];
  const said = `\`${name}\` must have 1 to ${most} characters; it has ${length}.`;
  if (length < 1 || length > most) throw refusal(said, length < 1 ? "bad_request" : "too_large");
  return value.toWellFormed();
};

export const password: Field<string> = (value, name) => {
  if (typeof value !== "string") throw refusal(`\`${name}\` must be a string.`);
  assertReadable(value, name);
  const most = limits.passwordCharacters;
  const text = value.length > 4 * most ? value : value.normalize("NFC");
  const length = characters(text);
  const said = `\`${name}\` must have 1 to ${most} characters.`;
  if (length < 1 || length > most) throw refusal(said, length < 1 ? "bad_request" : "too_large");
  return text;
};

export const token: Field<string> = (value, name) => {
  const most = limits.tokenCharacters;
  if (typeof value === "string" && value.length <= most) return value;
  throw refusal(`\`${name}\` must be a string of at most ${most} characters.`);
};

export const slot: Field<number> = (value, name) => {
  const number = parseClock(value);
  if (number !== undefined) return number;
  throw refusal(`\`${name}\` must be a whole number of at least 0.`);
};

export const via: Field<string> = (value, name) => {
  const most = limits.idCharacters;
  if (typeof value === "string" && value.length >= 1 && value.length <= most) return value;
  throw refusal(`\`${name}\` must be a string of 1 to ${most} characters.`);
};

/** Whether an IP address, as in `via`, is a loopback address. */
export function isLoopbackAddress(address: string): boolean {
  return address === "::1" || /^(?:::ffff:)?127(?:\.\d{1,3}){3}$/.test(address);
}

export const eventId: Field<string> = (value, name) => {
  const most = limits.idCharacters;
  if (typeof value === "string" && value.length >= 1 && characters(value) <= most) {
    return value.toWellFormed();
  }
  throw refusal(`\`${name}\` must be a string of 1 to ${most} characters.`);
};

export const invitation: Field<string> = (value, name) => {
  const [least, most] = [limits.invitationCharactersLeast, limits.invitationCharacters];
  if (typeof value !== "string" || value.length < least || value.length > most) {
    throw refusal(`\`${name}\` must be a string of ${least} to ${most} characters.`);
  }
  assertReadable(value, name);
  return value;
};

const hookTokenPattern = /^[\w-]*$/;

export const hookToken: Field<string> = (value, name) => {
  const [least, most] = [limits.hookTokenCharactersLeast, limits.hookTokenCharacters];
  const isToken = typeof value === "string" && hookTokenPattern.test(value);
  if (isToken && value.length >= least && value.length <= most) return value;
  throw refusal(
    `\`${name}\` must have ${least} to ${most} characters of base64url: use 32 random bytes.`,
  );
};

/** Parses the token or the id of a hook. Any text is allowed, because the hook need not exist. */
export const hookKey: Field<string> = (value, name) => {
  if (typeof value === "string") return value;
  throw refusal(`\`${name}\` must be a string.`);
};

export const topics: Field<readonly string[]> = (value, name) => {
  const most = limits.keysTopics;
  const isList = Array.isArray(value) && value.length >= 1 && value.length <= most;
  if (isList && value.every((topic) => typeof topic === "string" && topic.length <= 66)) {
    return value;
  }
  throw refusal(`\`${name}\` must be 1 to ${most} topics.`);
};

/** Parses the name that distinguishes the clients of one user; a missing name reads as empty. */
export const client: Field<string> = (value, name) => {
  if (value == null) return "";
  const most = limits.idCharacters;
  if (typeof value === "string" && characters(value) <= most) return value.toWellFormed();
  throw refusal(`\`${name}\` must be a string of at most ${most} characters.`);
};

/**
 * Parses the client's own time, a short text or a number. The text may have any form, because
 * servers only echo the time (W3). Anything else counts as missing, including a number beyond the
 * safe integers.
 */
export const ownTime: Field<string | number | undefined> = (value) => {
  if (typeof value === "number" && Math.abs(value) <= Number.MAX_SAFE_INTEGER) return value;
  if (typeof value !== "string" || value.length > limits.timestampCharacters) return undefined;
  return value.toWellFormed();
};

/** Parses the beginning of a name. The text is normalised to NFC, because all names are in NFC. */
export const namePart: Field<string> = (value, name) => {
  const most = limits.nameCharacters;
  const isText = typeof value === "string" && value.length <= 4 * most;
  const part = isText ? value.normalize("NFC").toWellFormed() : "";
  if (isText && characters(part) <= most) return part;
  throw refusal(`\`${name}\` must be a string of at most ${most} characters.`);
};

export const limit: Field<number> = (value, name) => {
  const most = limits.historyEntries;
  const isLimit = Number.isInteger(value) && (value as number) >= 1 && (value as number) <= most;
  if (!isLimit) throw refusal(`\`${name}\` must be 1 to ${most}.`);
  return value as number;
};

export const searchTerms: Field<readonly SearchTerm[]> = (value, name) => {
  const { searchCharacters: most, searchWords } = limits;
  if (typeof value !== "string" || characters(value) > most) {
    throw refusal(`\`${name}\` must be a string of at most ${most} characters.`);
  }
  const terms = readTerms(value.toWellFormed());
  const count = terms.reduce((sum, { words }) => sum + words.length, 0);
  if (terms.some(({ isUnwanted }) => !isUnwanted) && count <= searchWords) return terms;
  throw refusal(`\`${name}\` must have 1 to ${searchWords} words, and not only unwanted ones.`);
};

export const packName: Field<PackName> = oneOf(packNames, `one of ${packNames.join(", ")}`);

export const packsLeft: Field<number> = (value, name) => {
  const most = limits.packsLeft;
  if (Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= most)
    return Number(value);
  throw refusal(`\`${name}\` must be a whole number from 0 to ${most}.`);
};

/** The cards of one side of an offer. */
export const cards = differentCards(1, limits.tradeCards);

export const deckCards = differentCards(limits.deckCardsLeast, limits.deckCards);

/** Parses the ids of so many different cards. */
function differentCards(least: number, most: number): Field<readonly CardId[]> {
  return (value, name) => {
    const isList = Array.isArray(value) && value.length >= least && value.length <= most;
    const isRight = isList && value.every((card) => typeof card === "string" && kindOf(card));
    if (isRight && new Set(value).size === value.length) return value;
    const said = `must be ${least} to ${most} different cards, such as "dragon-rare-7".`;
    throw refusal(`\`${name}\` ${said}`);
  };
}

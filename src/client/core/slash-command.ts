import type { ChannelName, UserName } from "../../protocol/ids.ts";
import { readTerms } from "../../protocol/search-words.ts";
import { parseChannel, parseUser } from "./target.ts";

/** A parsed input line of the chat. */
export type Line =
  | { readonly type: "nothing" }
  | { readonly type: "text"; readonly text: string }
  /** A text that is not sent, because every client would show it as an action. */
  | { readonly type: "likeAction" }
  | { readonly type: "join" | "create"; readonly channel: ChannelName }
  /** Without a channel, the command applies to the current channel. */
  | { readonly type: "part" | "mute"; readonly channel: ChannelName | undefined }
  /** Without a text, the command only opens the conversation. */
  | { readonly type: "message"; readonly user: UserName; readonly text: string | undefined }
  | { readonly type: "me"; readonly text: string }
  /** With a user, the command invites them to a match. */
  | { readonly type: "duel"; readonly user: UserName | undefined }
  /** Number of past messages; undefined for the usual number. */
  | { readonly type: "history"; readonly count: number | undefined }
  | { readonly type: "search"; readonly words: string }
  | { readonly type: "lang"; readonly language: string }
  | { readonly [Name in BareCommand]: { readonly type: Name } }[BareCommand]
  | { readonly type: "wrongUse"; readonly command: Command }
  | {
      readonly type: "unknown";
      /** The command as typed and the suggestion, both with a slash. */
      readonly command: string;
      readonly suggestion: string | undefined;
    };

/** The names of all commands, without their slash, in the order of the help. */
export const commands = [
  "join",
  "part",
  "create",
  "msg",
  "me",
  "say",
  "who",
  "users",
  "channels",
  "history",
  "search",
  "links",
  "away",
  "mute",
  "status",
  "time",
  "lang",
  "duel",
  "help",
  "quit",
] as const;
export type Command = (typeof commands)[number];
const aliases: ReadonlyMap<string, Command> = new Map([
  ["leave", "part"],
  ["exit", "quit"],
]);

/** The names of commands without an argument. */
type BareCommand = Exclude<
  Command,
  | "join"
  | "create"
  | "part"
  | "mute"
  | "msg"
  | "me"
  | "say"
  | "history"
  | "search"
  | "lang"
  | "duel"
>;

/** Marks the text of an action, which tells what its sender does. */
export const actionPrefix = "/me ";

/** @returns the text to show: an action loses its mark */
export function spokenText(text: string): string {
  return text.startsWith(actionPrefix) ? text.slice(actionPrefix.length) : text;
}

/**
 * Parses an input line. A line that begins with one slash is never sent as a text, so that a
 * mistyped command stays private. `//text` and `/say /text` send a text that begins with a slash.
 */
export function parseLine(line: string): Line {
  if (line.trim() === "") return { type: "nothing" };
  if (!line.startsWith("/")) return { type: "text", text: line };
  if (line.startsWith("//")) return textLine(line.slice(1));
  const [, name = "", rest = ""] = /^\/(\S*)\s*(.*)$/su.exec(line.trim()) ?? [];
  const typed = name.toLowerCase();
  const command = aliases.get(typed) ?? commands.find((known) => known === typed);
  if (command === undefined) {
    return { type: "unknown", command: `/${name}`, suggestion: closest(typed) };
  }
  return parseCommand(command, rest) ?? { type: "wrongUse", command };
}

function textLine(text: string): Line {
  return text.startsWith(actionPrefix) ? { type: "likeAction" } : { type: "text", text };
}

/** @returns undefined if the rest of the line is not a valid argument of the command */
function parseCommand(command: Command, rest: string): Line | undefined {
  switch (command) {
    case "join":
    case "create": {
      const channel = parseChannel(rest);
      return channel && { type: command, channel };
    }
    case "part":
    case "mute": {
      const channel = parseChannel(rest);
      return rest === "" || channel !== undefined ? { type: command, channel } : undefined;
    }
    case "msg": {
      const [, name = "", text] = /^(\S+)(?:\s+(.+))?$/su.exec(rest) ?? [];
      const user = parseUser(name);
      return user && { type: "message", user, text };
    }
    case "me":
      return rest === "" ? undefined : { type: "me", text: rest };
    case "say":
      return rest === "" ? undefined : textLine(rest);
    case "history":
      if (rest === "") return { type: "history", count: undefined };
      return /^[1-9]\d{0,2}$/.test(rest) ? { type: "history", count: Number(rest) } : undefined;
    case "search": {
      const isSearch = readTerms(rest).some(({ isUnwanted }) => !isUnwanted);
      return isSearch ? { type: "search", words: rest } : undefined;
    }
    case "duel": {
      const user = parseUser(rest);
      return rest === "" || user !== undefined ? { type: "duel", user } : undefined;
    }
    case "lang":
      return rest === "" ? undefined : { type: "lang", language: rest };
    default:
      return rest === "" ? { type: command } : undefined;
  }
}

/**
 * @returns a command that begins with `typed` or differs from it by at most two letters, if there
 * is one
 */
function closest(typed: string): string | undefined {
  const begun = commands.find((command) => typed !== "" && command.startsWith(typed));
  const [best] = commands
    .map((command) => ({ command, slips: distance(typed, command) }))
    .filter(({ slips }) => slips <= 2)
    .sort((a, b) => a.slips - b.slips);
  const found = begun ?? best?.command;
  return found && `/${found}`;
}

/** Number of letters to insert, delete or replace (Levenshtein 1966). */
function distance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min((previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, replaced));
    }
    previous = row;
  }
  return previous[b.length] ?? 0;
}

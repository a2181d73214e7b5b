import type { Command } from "./slash-command.ts";

type Bare<C extends string> = C extends `/${infer Name}` ? Name : never;

/** Keys of the help, by the name of what they do. */
export const helpKeys = [
  ["Tab", "complete"],
  ["PgUp PgDn", "page"],
  ["Alt-1 … Alt-9", "number"],
  ["Alt-↑ Alt-↓", "neighbour"],
  ["Alt-A", "nextUnread"],
  ["Ctrl-K", "switch"],
  ["↑ ↓", "recall"],
  ["Alt-Enter", "newLine"],
  ["Ctrl-A Ctrl-E", "lineEnds"],
  ["Alt-B Alt-F", "words"],
  ["Ctrl-U Ctrl-W", "cut"],
  ["Ctrl-Y", "putBack"],
  ["Ctrl-L", "redraw"],
  ["Ctrl-Z", "suspend"],
  ["Esc", "back"],
  ["Ctrl-C Ctrl-C", "quit"],
] as const;

/** What the full-screen chat says, by name; the words themselves come as a value. */
export type WordKey =
  | (
      | "home"
      | "hint"
      | "noChannels"
      | "newSince"
      | "newer"
      | "below"
      | "beginning"
      | "loading"
      | "connected"
      | "connecting"
      | "reconnecting"
      | "reconnectingIn"
      | "gaveUp"
      | "roundTrip"
      | "clock"
      | "replicas"
      | "replica"
      | "away"
      | "isAway"
      | "isBack"
      | "online"
      | "quitAgain"
      | "noConversation"
      | "noSuchChannel"
      | "likeAction"
      | "unknown"
      | "unknownHelp"
      | "wrongUse"
      | "historyPages"
      | "links"
      | "linksBack"
      | "noLinks"
      | "parted"
      | "notJoined"
      | "muted"
      | "unmuted"
      | "nobodyOnline"
      | "whoOnline"
      | "userList"
      | "channelList"
      | "tooLong"
      | "switchTitle"
      | "switchNothing"
      | "helpTitle"
      | "helpClose"
    )
  | `command.${Bare<Command>}`
  | `key.${(typeof helpKeys)[number][1]}`;

/** Says a text in the person's language; `{name}` in it stands for a value. */
export type Words = (key: WordKey, values?: Readonly<Record<string, string | number>>) => string;

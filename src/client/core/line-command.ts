import type { ChannelName, UserName } from "../../protocol/ids.ts";
import { parseChannel, parseUser } from "./target.ts";

/** What a line of the chat asks for. */
export type Line =
  | { readonly type: "nothing" }
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "join" | "leave" | "create"; readonly channel: ChannelName }
  | { readonly type: "message"; readonly user: UserName; readonly text: string }
  | { readonly type: "users" | "channels" | "help" }
  | { readonly type: "quit" }
  | { readonly type: "wrongUse"; readonly usage: string }
  | {
      readonly type: "unknown";
      readonly command: string;
      readonly suggestion: string | undefined;
    };

const usages = {
  "/join": "/join #geral",
  "/leave": "/leave #geral",
  "/create": "/create #geral",
  "/msg": "/msg ana text",
  "/users": "/users",
  "/channels": "/channels",
  "/help": "/help",
  "/quit": "/quit",
} as const;

type Command = keyof typeof usages;
const commands = Object.keys(usages) as Command[];

/** What begins with a slash is never a text: a command mistyped is not told to everybody. */
export function parseLine(line: string): Line {
  if (line.trim() === "") return { type: "nothing" };
  if (!line.startsWith("/")) return { type: "text", text: line };
  const [, name = "", rest = ""] = /^(\S+)\s*(.*)$/su.exec(line.trim()) ?? [];
  const command = commands.find((known) => known === name.toLowerCase());
  if (command === undefined) return { type: "unknown", command: name, suggestion: closest(name) };
  return parseCommand(command, rest) ?? { type: "wrongUse", usage: usages[command] };
}

function parseCommand(command: Command, rest: string): Line | undefined {
  switch (command) {
    case "/join":
    case "/leave":
    case "/create": {
      const channel = parseChannel(rest);
      const type = command.slice(1) as "join" | "leave" | "create";
      return channel === undefined ? undefined : { type, channel };
    }
    case "/msg": {
      const [, name = "", text = ""] = /^(\S+)\s+(.+)$/su.exec(rest) ?? [];
      const user = parseUser(name);
      return user === undefined ? undefined : { type: "message", user, text };
    }
    case "/users":
    case "/channels":
    case "/help":
      return { type: command.slice(1) as "users" | "channels" | "help" };
    case "/quit":
      return { type: "quit" };
    default:
      command satisfies never;
      return undefined;
  }
}

/** The command that it was perhaps meant to be: its beginning, or at most two slips away. */
function closest(name: string): Command | undefined {
  const typed = name.toLowerCase();
  const begun = commands.find((command) => typed.length > 1 && command.startsWith(typed));
  if (begun !== undefined) return begun;
  const [best] = commands
    .map((command) => ({ command, slips: distance(typed, command) }))
    .sort((a, b) => a.slips - b.slips);
  return best !== undefined && best.slips <= 2 ? best.command : undefined;
}

/** Letters to insert, delete or replace (Levenshtein 1966). */
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

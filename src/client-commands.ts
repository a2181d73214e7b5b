import { administering, type ClientCommand } from "./client/commands/command-row.ts";
import type { Context } from "./client/commands/context.ts";
import type { Flag } from "./client/commands/define.ts";
import { gameCommands } from "./client/commands/game-commands.ts";

// The code of a command is loaded only when the command runs, so that a command starts quickly.
const account = () => import("./client/commands/account.ts");
const accounts = () => import("./client/commands/accounts.ts");
const hooks = () => import("./client/commands/hooks.ts");
const lists = () => import("./client/commands/lists.ts");

/** The settings that every client command accepts. */
export const clientSettings = [
  "broker",
  "proxy",
  "reference",
  "serverKeyFile",
  "user",
  "lang",
] as const;

export const jsonFlag: Flag = { name: "json" };

/** The flags of every client command that are not settings. */
export const clientFlags: readonly Flag[] = [
  jsonFlag,
  { name: "timeout", value: "seconds", fallback: "10" },
];

export const clientCommands: readonly ClientCommand[] = [
  {
    name: "chat",
    settings: ["passwordFile", "game"],
    flags: [{ name: "lines" }],
    example: "tertulia chat --user ana",
    act: (context, _args, flags) => openChat(context, flags),
  },
  {
    name: "menu",
    settings: ["passwordFile"],
    example: "tertulia menu --user ana",
    act: async (context) => (await import("./client/terminal/menu.ts")).runMenu(context),
  },
  {
    name: "login",
    args: ["NAME"],
    settings: ["passwordFile"],
    example: "tertulia login ana",
    act: async (context, [user]) => (await account()).login(context, user as string),
  },
  {
    name: "password",
    args: ["NAME"],
    settings: ["passwordFile"],
    example: "tertulia password ana",
    act: async (context, [user]) => (await account()).changePassword(context, user as string),
  },
  {
    name: "register",
    args: ["NAME"],
    settings: ["passwordFile", "invitation"],
    example: "tertulia register ana",
    act: async (context, [name]) => (await account()).register(context, name as string),
  },
  {
    name: "users",
    example: "tertulia users --json",
    act: async (context) => (await lists()).users(context),
  },
  {
    name: "time",
    example: "tertulia time --json",
    act: async (context) => (await lists()).time(context),
  },
  // `channels` without a subcommand lists the channels.
  {
    name: "channels",
    example: "tertulia channels --json",
    act: async (context) => (await lists()).channels(context),
  },
  ...(["remove", "restore"] as const).map(
    (action): ClientCommand => ({
      parent: "channels",
      name: action,
      help: `${action}Channel`,
      args: ["CHANNEL"],
      settings: administering,
      example: `tertulia channels ${action} geral`,
      act: async (context, [channel]) =>
        (await accounts()).changeChannel(context, action, channel as string),
    }),
  ),
  // `hooks` without a subcommand lists the hooks.
  {
    name: "hooks",
    settings: administering,
    flags: [{ name: "owner", value: "name" }],
    example: "tertulia hooks --json",
    act: async (context, _args, flags) => (await hooks()).listHooks(context, flags),
  },
  {
    parent: "hooks",
    name: "add",
    help: "addHook",
    args: ["CHANNEL", "NAME"],
    example: "tertulia hooks add geral deploy",
    act: async (context, [channel, name]) =>
      (await hooks()).addHook(context, channel as string, name as string),
  },
  {
    parent: "hooks",
    name: "remove",
    help: "revokeHook",
    args: ["HOOK"],
    settings: administering,
    example: "tertulia hooks remove 0a1b2c3d4e5f60718293a4b5c6d7e8f9",
    act: async (context, [hook]) => (await hooks()).removeHook(context, hook as string),
  },
  ...gameCommands,
  {
    name: "create",
    args: ["CHANNEL"],
    example: "tertulia create geral",
    act: async (context, [channel]) => (await lists()).create(context, channel as string),
  },
  {
    name: "send",
    args: ["TARGET", "TEXT"],
    example:
      "tertulia send '#geral' 'Bom dia!'\n  $ tertulia send '#geral' -- '-1 grad'\n" +
      "  $ uptime | tertulia send @ana -",
    act: async (context, [target, words]) =>
      (await import("./client/commands/send.ts")).send(context, target as string, words as string),
  },
  {
    name: "history",
    args: ["TARGET"],
    flags: [
      { name: "limit", value: "n", fallback: "100" },
      { name: "before", value: "place" },
      { name: "since", value: "vector", help: "sinceVector" },
    ],
    example: "tertulia history '#geral' --limit 20\n  $ tertulia history @ana --user bia",
    act: async (context, [target], flags) =>
      (await import("./client/commands/history.ts")).history(context, target as string, flags),
  },
  {
    name: "search",
    args: ["TARGET", "WORDS..."],
    flags: [
      { name: "limit", value: "n", fallback: "100" },
      { name: "before", value: "place" },
    ],
    example:
      "tertulia search '#geral' bom dia\n  $ tertulia search '#geral' --limit 5 -- '\"bom dia\"' -noite",
    act: async (context, args, flags) =>
      (await import("./client/commands/search.ts")).search(context, args, flags),
  },
  {
    name: "export",
    args: ["[TARGET...]"],
    example: "tertulia export --json > everything.jsonl\n  $ tertulia export '#geral' @ana",
    act: async (context, targets) =>
      (await import("./client/commands/export.ts")).exportHistories(context, targets),
  },
  {
    name: "listen",
    args: ["TARGET"],
    flags: [{ name: "since", value: "start" }],
    example: "tertulia listen '#geral' --since 2026-01-31T08:00:00Z",
    act: async (context, [target], flags) =>
      (await import("./client/commands/listen.ts")).listen(context, target as string, flags),
  },
  {
    name: "status",
    flags: [{ name: "watch" }],
    example: "tertulia status --watch",
    act: async (context, _args, flags) =>
      (await import("./client/commands/status.ts")).status(context, flags),
  },
  {
    name: "trace",
    args: ["ID", "[TEXT]"],
    settings: ["game"],
    flags: [{ name: "send" }, { name: "svg" }, { name: "shiviz" }],
    example:
      "tertulia trace server_0a1b2c3d/12\n  $ tertulia trace --send '#geral' 'Bom dia!' --svg > life.svg",
    act: async (context, args, flags) =>
      (await import("./client/commands/trace.ts")).trace(context, args, flags),
  },
  {
    parent: "servers",
    name: "remove",
    args: ["NAME"],
    settings: administering,
    flags: [{ name: "force" }],
    example: "tertulia servers remove server_0a1b2c3d",
    act: async (context, [name], flags) =>
      (await import("./client/commands/servers.ts")).removeServer(context, name as string, flags),
  },
  ...(["add", "lock", "unlock", "promote", "demote", "reset"] as const).map(
    (action): ClientCommand => ({
      parent: "accounts",
      name: action,
      args: ["NAME"],
      settings: administering,
      example: `tertulia accounts ${action} ana`,
      act: async (context, [user]) =>
        (await accounts()).changeAccount(context, action, user as string),
    }),
  ),
  {
    parent: "accounts",
    name: "registration",
    args: ["MODE"],
    settings: administering,
    example: "tertulia accounts registration invitation",
    act: async (context, [mode]) => (await accounts()).setRegistration(context, mode as string),
  },
];

/**
 * Opens the chat in full screen. Uses line mode if `--lines` or `--json` is given, or if there is
 * no terminal that can move its cursor.
 */
export async function openChat(context: Context, { lines = false } = {}): Promise<void> {
  const { input, output } = context.host;
  const hasTerminal = input.isTTY && output.isTTY && process.env.TERM !== "dumb";
  if (!hasTerminal || lines || context.config.json) {
    await (await import("./client/terminal/lines.ts")).runLines(context);
  } else await (await import("./client/terminal/full-screen.ts")).runFullScreen(context);
}

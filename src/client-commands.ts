import { changePassword, login, register } from "./client/commands/account.ts";
import {
  accountActions,
  changeAccount,
  changeChannel,
  setRegistration,
} from "./client/commands/accounts.ts";
import type { Context } from "./client/commands/context.ts";
import type { Definition } from "./client/commands/define.ts";
import { history } from "./client/commands/history.ts";
import { listen } from "./client/commands/listen.ts";
import { channels, create, time, users } from "./client/commands/lists.ts";
import { send } from "./client/commands/send.ts";
import { removeServer } from "./client/commands/servers.ts";
import { status } from "./client/commands/status.ts";

/** Commands that only group other commands. */
export const groups = ["servers", "accounts"] as const;

/** A command of a client; any error of it is reported as one sentence. */
export type ClientCommand = Definition & {
  /** The command of which this one is a subcommand. */
  readonly parent?: (typeof groups)[number] | "channels";
  act(context: Context, args: readonly string[], flags: never): Promise<void> | void;
};

/** Settings that locate the cluster's secret, with which an administrator needs no session. */
const administering = ["data", "secretFile", "cluster", "curve"] as const;

export const clientCommands: readonly ClientCommand[] = [
  {
    name: "chat",
    settings: ["passwordFile"],
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
    act: (context, [user]) => login(context, user as string),
  },
  {
    name: "password",
    args: ["NAME"],
    settings: ["passwordFile"],
    example: "tertulia password ana",
    act: (context, [user]) => changePassword(context, user as string),
  },
  {
    name: "register",
    args: ["NAME"],
    settings: ["passwordFile", "invitation"],
    example: "tertulia register ana",
    act: (context, [name]) => register(context, name as string),
  },
  { name: "users", example: "tertulia users --json", act: users },
  { name: "time", example: "tertulia time --json", act: time },
  // `channels` without a subcommand lists the channels.
  { name: "channels", example: "tertulia channels --json", act: channels },
  ...(["remove", "restore"] as const).map(
    (action): ClientCommand => ({
      parent: "channels",
      name: action,
      help: `${action}Channel`,
      args: ["CHANNEL"],
      settings: administering,
      example: `tertulia channels ${action} geral`,
      act: (context, [channel]) => changeChannel(context, action, channel as string),
    }),
  ),
  {
    name: "create",
    args: ["CHANNEL"],
    example: "tertulia create geral",
    act: (context, [channel]) => create(context, channel as string),
  },
  {
    name: "send",
    args: ["TARGET", "TEXT"],
    example:
      "tertulia send '#geral' 'Bom dia!'\n  $ tertulia send '#geral' -- '-1 grad'\n" +
      "  $ uptime | tertulia send @ana -",
    act: (context, [target, words]) => send(context, target as string, words as string),
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
    act: (context, [target], flags) => history(context, target as string, flags),
  },
  {
    name: "listen",
    args: ["TARGET"],
    flags: [{ name: "since", value: "start" }],
    example: "tertulia listen '#geral' --since 2026-01-31T08:00:00Z",
    act: (context, [target], flags) => listen(context, target as string, flags),
  },
  {
    name: "status",
    flags: [{ name: "watch" }],
    example: "tertulia status --watch",
    act: (context, _args, flags) => status(context, flags),
  },
  {
    parent: "servers",
    name: "remove",
    args: ["NAME"],
    settings: administering,
    flags: [{ name: "force" }],
    example: "tertulia servers remove server_0a1b2c3d",
    act: (context, [name], flags) => removeServer(context, name as string, flags),
  },
  ...accountActions.map(
    (action): ClientCommand => ({
      parent: "accounts",
      name: action,
      args: ["NAME"],
      settings: administering,
      example: `tertulia accounts ${action} ana`,
      act: (context, [user]) => changeAccount(context, action, user as string),
    }),
  ),
  {
    parent: "accounts",
    name: "registration",
    args: ["MODE"],
    settings: administering,
    example: "tertulia accounts registration invitation",
    act: (context, [mode]) => setRegistration(context, mode as string),
  },
];

/**
 * Opens the chat: as lines for a screen reader, a pipe or a terminal that can't move its cursor,
 * else in full screen.
 */
export async function openChat(
  context: Context,
  flags: { readonly lines?: boolean } = {},
): Promise<void> {
  const { input, output } = context.host;
  const hasTerminal = input.isTTY && output.isTTY && process.env.TERM !== "dumb";
  if (!hasTerminal || flags.lines === true || context.config.json) {
    await (await import("./client/terminal/lines.ts")).runLines(context);
  } else await (await import("./client/terminal/full-screen.ts")).runFullScreen(context);
}

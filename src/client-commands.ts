import type { Context } from "./client/commands/context.ts";
import type { Definition, Flag } from "./client/commands/define.ts";

// The code of a command is loaded only when the command runs, so that a command starts quickly.
const account = () => import("./client/commands/account.ts");
const accounts = () => import("./client/commands/accounts.ts");
const duel = () => import("./client/commands/duel.ts");
const hooks = () => import("./client/commands/hooks.ts");
const lists = () => import("./client/commands/lists.ts");
const matches = () => import("./client/commands/matches.ts");
const shop = () => import("./client/commands/shop.ts");

/** Commands that have subcommands and no action of their own. */
export const groups = ["servers", "accounts"] as const;

/** A client command. Any error that `act` throws is printed as one sentence. */
export type ClientCommand = Definition & {
  /** The parent command, if this command is a subcommand. */
  readonly parent?: (typeof groups)[number] | "channels" | "hooks" | "shop" | "cards" | "matches";
  act(context: Context, args: readonly string[], flags: never): Promise<void> | void;
};

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

/**
 * Settings by which a command finds the cluster's secret. An operator with the secret needs no
 * session.
 */
const administering = ["data", "secretFile", "cluster", "curve"] as const;

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
  // `shop` without a subcommand shows the shop.
  {
    name: "shop",
    example: "tertulia shop --user ana",
    act: async (context) => (await shop()).showShop(context),
  },
  {
    parent: "shop",
    name: "buy",
    help: "buyPack",
    args: ["PACK"],
    example: "tertulia shop buy basic",
    act: async (context, [pack]) => (await shop()).buyPack(context, pack as string),
  },
  {
    parent: "shop",
    name: "supply",
    help: "supplyPacks",
    args: ["PACK", "[NUMBER]"],
    settings: administering,
    example: "tertulia shop supply legendary 10",
    act: async (context, [pack, left]) => (await shop()).supplyPacks(context, pack as string, left),
  },
  // `cards` without a subcommand lists cards.
  {
    name: "cards",
    example: "tertulia cards",
    act: async (context) => (await shop()).listCards(context),
  },
  {
    parent: "cards",
    name: "offer",
    help: "offerCards",
    args: ["NAME", "GIVE", "WANT"],
    example: "tertulia cards offer bia wolf-common-3 lion-common-8,lion-common-9",
    act: async (context, [name, give, want]) =>
      (await shop()).offerCards(context, name as string, [give as string, want as string]),
  },
  {
    parent: "cards",
    name: "deck",
    help: "chooseDeck",
    args: ["CARDS"],
    example:
      "tertulia cards deck wolf-common-3,lion-common-8,mage-rare-1,titan-rare-2,eagle-rare-5",
    act: async (context, [cards]) => (await shop()).chooseDeck(context, cards as string),
  },
  ...(["accept", "drop"] as const).map(
    (action): ClientCommand => ({
      parent: "cards",
      name: action,
      help: `${action}Offer`,
      args: ["NUMBER"],
      example: `tertulia cards ${action} 7`,
      act: async (context, [number]) =>
        (await shop()).answerOffer(context, action, number as string),
    }),
  ),
  // `matches` without a subcommand shows the matches of a user.
  {
    name: "matches",
    args: ["[NAME]"],
    example: "tertulia matches bia",
    act: async (context, [name]) => (await matches()).showMatches(context, name),
  },
  {
    parent: "matches",
    name: "void",
    help: "voidMatch",
    args: ["MATCH"],
    settings: administering,
    example: "tertulia matches void 0a1b2c3d4e5f6a7b",
    act: async (context, [match]) => (await matches()).voidMatch(context, match as string),
  },
  {
    name: "ranking",
    example: "tertulia ranking",
    act: async (context) => (await matches()).showRanking(context),
  },
  {
    name: "duel",
    settings: ["passwordFile", "game"],
    flags: [
      { name: "rules", value: "game", fallback: "duel" },
      { name: "watch", value: "name", help: "watchMatch" },
    ],
    example: "tertulia duel --user ana\n  $ tertulia duel --watch bia",
    act: async (context, _args, flags) => (await duel()).playDuel(context, flags),
  },
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

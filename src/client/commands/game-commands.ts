import { administering, type ClientCommand } from "./command-row.ts";

const duel = () => import("./duel.ts");
const matches = () => import("./matches.ts");
const shop = () => import("./shop.ts");

/** The commands of the shop of cards, and of matches. */
export const gameCommands: readonly ClientCommand[] = [
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
];

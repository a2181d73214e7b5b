import { beforeAll, describe, expect, test } from "vitest";
import type { ErrorCode } from "../../../src/protocol/errors.ts";
import type { Fields } from "../../../src/protocol/fields.ts";
import { limits } from "../../../src/protocol/limits.ts";
import { tokenOf } from "../../support/hook-scene.ts";
import { Person, type Scene } from "./scene.ts";
import { servers } from "./subject.ts";

/** Somebody without an account. */
const guest = "nobody";

interface Row {
  readonly what: string;
  readonly code: ErrorCode;
  readonly request: readonly [service: string, data: Fields];
  /** The user of the request; by default ana. */
  readonly by?: typeof guest | "operator";
}

const user = "ana";
const channel = "refusals";
const nowhere = { channel: "nowhere" };
const message = "hi";
const match = "00000000000000ff";
const game = "game_0000000f";
const hook = { user, channel, name: "deploy", hookToken: tokenOf("unknown") };
const stranger = { user: guest, password: "any" };
const ana = { user, password: "not this one" };
/** Cards that exist and that nobody has bought. */
const cards = [91, 92, 93, 94, 95].map((copy) => `wolf-common-${copy}`);

const rows: readonly Row[] = [
  { what: "an unknown service", code: "unknown_service", request: ["nothing", {}] },
  { what: "no session", code: "unauthenticated", request: ["users", {}], by: guest },
  { what: "a forged token", code: "unauthenticated", request: ["users", { token: "x.y.z" }] },
  { what: "a log-in with a wrong password", code: "unauthenticated", request: ["login", ana] },
  { what: "a log-in without an account", code: "unauthenticated", request: ["login", stranger] },
  { what: "a name that is taken", code: "name_taken", request: ["register", ana] },
  {
    what: "a name that looks like another",
    code: "name_taken",
    request: ["register", { ...ana, user: "ANA" }],
  },
  {
    what: "a name with a space",
    code: "name_invalid",
    request: ["register", { ...ana, user: "a na" }],
  },
  {
    what: "an empty password",
    code: "bad_request",
    request: ["register", { ...stranger, password: "" }],
  },
  {
    what: "a new password with a wrong old one",
    code: "unauthenticated",
    request: ["password", { ...ana, newPassword: "new" }],
  },
  { what: "a channel that exists", code: "channel_exists", request: ["channel", { channel }] },
  {
    what: "a channel that looks like another",
    code: "channel_exists",
    request: ["channel", { channel: channel.toUpperCase() }],
  },
  {
    what: "a channel with a reserved name",
    code: "name_invalid",
    request: ["channel", { channel: "servers" }],
  },
  {
    what: "a message to an unknown channel",
    code: "channel_not_found",
    request: ["publish", { user, ...nowhere, message }],
  },
  {
    what: "a message in another's name",
    code: "forbidden",
    request: ["publish", { user: "bia", channel, message }],
  },
  {
    what: "an empty message",
    code: "bad_request",
    request: ["publish", { user, channel, message: "" }],
  },
  {
    what: "a message that is too long",
    code: "too_large",
    request: ["publish", { user, channel, message: "x".repeat(limits.messageCharacters + 1) }],
  },
  {
    what: "a private message to nobody",
    code: "user_not_found",
    request: ["message", { src: user, dst: guest, message }],
  },
  {
    what: "the history of an unknown channel",
    code: "channel_not_found",
    request: ["history", nowhere],
  },
  {
    what: "a history both before and after a place",
    code: "bad_request",
    request: ["history", { channel, since: {}, before: "x" }],
  },
  {
    what: "a history before what is no place",
    code: "bad_request",
    request: ["history", { channel, before: "x" }],
  },
  { what: "a page of nothing", code: "bad_request", request: ["history", { channel, limit: 0 }] },
  {
    what: "a search in an unknown channel",
    code: "channel_not_found",
    request: ["search", { ...nowhere, words: "hi" }],
  },
  {
    what: "a search without a word",
    code: "bad_request",
    request: ["search", { channel, words: "-hi" }],
  },
  { what: "a list of no names", code: "bad_request", request: ["users", { limit: 0 }] },
  {
    what: "the keys of an unknown channel",
    code: "forbidden",
    request: ["keys", { topics: ["#nowhere\0"] }],
  },
  {
    what: "a removal by a user",
    code: "forbidden",
    request: ["removal", { channel, removed: true }],
  },
  {
    what: "the removal of an unknown channel",
    code: "channel_not_found",
    request: ["removal", { ...nowhere, removed: true }],
    by: "operator",
  },
  { what: "a lock by a user", code: "forbidden", request: ["account", { user, locked: true }] },
  {
    what: "a lock of nobody",
    code: "user_not_found",
    request: ["account", { user: guest, locked: true }],
    by: "operator",
  },
  {
    what: "a hook in another's name",
    code: "forbidden",
    request: ["hook", { ...hook, user: "bia" }],
  },
  {
    what: "a hook of an unknown channel",
    code: "channel_not_found",
    request: ["hook", { ...hook, ...nowhere }],
  },
  {
    what: "a message by an unknown hook",
    code: "hook_not_found",
    request: ["post", { hookToken: hook.hookToken, message }],
    by: guest,
  },
  {
    what: "the revocation of an unknown hook",
    code: "hook_not_found",
    request: ["unhook", { hook: "0".repeat(64) }],
  },
  { what: "another's cards", code: "forbidden", request: ["cards", { user: "bia" }] },
  { what: "an unknown pack", code: "bad_request", request: ["buy", { user, pack: "empty" }] },
  {
    what: "an offer of a card that nobody has",
    code: "card_not_owned",
    request: ["offer", { user, to: "bia", give: cards.slice(0, 1), want: cards.slice(1, 2) }],
  },
  {
    what: "an unknown offer",
    code: "trade_not_found",
    request: ["trade", { user, trade: 4_000, accept: true }],
  },
  {
    what: "a deck of cards that nobody has",
    code: "card_not_owned",
    request: ["deck", { user, cards }],
  },
  { what: "an end of a match by a user", code: "forbidden", request: ["matchVoid", { match }] },
  {
    what: "an end of an unknown match",
    code: "match_not_found",
    request: ["matchEnd", { match, term: 1, game }],
    by: "operator",
  },
  {
    what: "a term of an unknown match",
    code: "match_not_found",
    request: ["matchTerm", { match, term: 2, host: game, game }],
    by: "operator",
  },
];

/** What servers refuse, and by which code, whatever they keep conversations in. */
export function refusalsOfServers(scene: () => Scene): void {
  describe("refusals", () => {
    const people = new Map<string, Person>();

    beforeAll(async () => {
      const [asker] = await scene().anaAndBia();
      await asker.ask(1, "channel", { channel });
      people.set(user, asker);
      people.set(guest, new Person(scene(), guest));
      people.set("operator", scene().operator);
    });

    test.each(rows)(
      "[W8] $what gets $code at each server",
      async ({ code, request, by = user }) => {
        for (const server of servers) {
          expect(await people.get(by)?.refusal(server, ...request)).toMatchObject({ code });
        }
      },
    );
  });
}

import { describe, expect, test } from "vitest";
import type { ReplyData } from "../../../src/protocol/client-messages.ts";
import { limits } from "../../../src/protocol/limits.ts";
import { type Fields, Scene } from "../../support/account-scene.ts";
import { checkpointText } from "../../support/core-cluster.ts";

/** Users with cards, in a cluster with accounts. */
class Players {
  readonly scene = new Scene();
  readonly #tokens: Record<string, string> = {};

  constructor(...users: string[]) {
    for (const user of users) this.#tokens[user] = this.scene.user(user);
  }

  ask(user: string, service: string, data: Fields = {}): ReplyData {
    return this.scene.ask(service, { user, token: this.#tokens[user], ...data });
  }

  /** Buys the five cards of a pack. */
  buy(user: string): string[] {
    return this.ask(user, "buy", { pack: "basic" }).cards as string[];
  }

  deck(user: string): unknown {
    return this.ask(user, "cards").deck;
  }
}

describe("decks", () => {
  test("[Q24] a user chooses a deck of cards that they own, and chooses another one in its place", () => {
    const players = new Players("ana");
    expect(players.deck("ana")).toEqual([]);
    const [first, second] = [players.buy("ana"), players.buy("ana")];
    expect(players.ask("ana", "deck", { cards: first })).toMatchObject({ status: "OK" });
    expect(players.deck("ana")).toEqual(first);
    const both = [...second, ...first];
    expect(players.ask("ana", "deck", { cards: both, id: "1" })).toMatchObject({ status: "OK" });
    expect(players.deck("ana")).toEqual(both);
    const other = players.ask("ana", "deck", { cards: second, id: "1" });
    expect(other).toMatchObject({ code: "id_reused" });
  });

  test("[Q24] a deck with a card of somebody else, with too few or too many cards, or with a card twice is refused", () => {
    const players = new Players("ana", "bia");
    const [hers, theirs] = [players.buy("ana"), players.buy("bia")];
    const choose = (cards: unknown) => players.ask("ana", "deck", { cards });
    expect(choose([...hers, theirs[0]])).toMatchObject({ code: "card_not_owned" });
    const many = Array.from({ length: limits.deckCards + 1 }, (_, at) => `wolf-common-${at + 1}`);
    const twice = [...hers, hers[0]];
    for (const cards of [hers.slice(1), many, twice, [...hers, "wolf-common-101"], "x"]) {
      expect(choose(cards)).toMatchObject({ code: "bad_request" });
    }
    expect(players.deck("ana")).toEqual([]);
  });

  test("[Q24] a card that is exchanged leaves the deck of the user who gives it, at every server", () => {
    const players = new Players("ana", "bia");
    const [hers, theirs] = [players.buy("ana"), players.buy("bia")];
    players.ask("ana", "deck", { cards: hers });
    players.ask("bia", "deck", { cards: theirs });
    const [give, want] = [hers.slice(1, 2), theirs.slice(0, 1)];
    const { trade } = players.ask("ana", "offer", { to: "bia", give, want });
    players.ask("bia", "trade", { trade, accept: true });
    expect(players.deck("ana")).toEqual(hers.filter((card) => card !== give[0]));
    expect(players.deck("bia")).toEqual(theirs.slice(1));
    const { cluster } = players.scene;
    cluster.runUntilEqual();
    const texts = cluster.servers.map(checkpointText);
    expect(new Set(texts).size).toBe(1);
    for (const server of cluster.servers) cluster.kill(server);
    for (const server of cluster.servers) cluster.start(server);
    cluster.runUntilServing();
    expect(players.deck("bia")).toEqual(theirs.slice(1));
  });

  test("[Q18] [Q24] with accounts only the user sees their cards and deck, also when they have just bought a pack; in an open cluster everybody does", () => {
    const players = new Players("ana", "bia");
    const { scene } = players;
    const cards = players.buy("ana");
    players.ask("ana", "deck", { cards });
    const other = { code: "forbidden", reason: "other_user" };
    expect(players.ask("bia", "cards", { user: "ana" })).toMatchObject(other);
    scene.ask("account", { user: "bia", administrator: true, token: scene.operator });
    expect(players.ask("bia", "cards", { user: "ana" })).toMatchObject(other);
    expect(players.deck("ana")).toEqual(cards);
    const open = new Scene(undefined, "open");
    open.ask("login", { user: "ana" });
    const bought = open.ask("buy", { user: "ana", pack: "basic" }).cards;
    open.ask("deck", { user: "ana", cards: bought });
    expect(open.ask("cards", { user: "ana" }).deck).toEqual(bought);
  });

  test("[Q19] an offer does not tell whether the other user has the wanted cards", () => {
    const players = new Players("ana", "bia");
    const [give] = players.buy("ana");
    const [theirs] = players.buy("bia");
    for (const want of [theirs, "wolf-common-1", "dragon-legendary-5"]) {
      const made = players.ask("ana", "offer", { to: "bia", give: [give], want: [want] });
      expect(made).toMatchObject({ status: "OK" });
    }
  });
});

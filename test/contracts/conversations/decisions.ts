import { expect, test } from "vitest";
import { randomHex } from "../../../src/platform/random.ts";
import { packs } from "../../../src/protocol/cards.ts";
import type { Fields } from "../../../src/protocol/fields.ts";
import { limits } from "../../../src/protocol/limits.ts";
import { Person, type Scene, serverOf } from "./scene.ts";
import { servers } from "./subject.ts";

const isOk = ({ status }: Fields) => status !== "erro";

/** What a person owns, as of now (D8). */
async function wallet(server: number, person: Person) {
  const data = { user: person.user, consistency: "now" };
  const { coins } = await person.ask(server, "shop", data);
  const { cards } = await person.ask(server, "cards", data);
  return { coins, cards };
}

/** What servers promise of what is decided once, whatever they keep it in. */
export function promisesOfDecisions(scene: () => Scene): void {
  test("[R10] [Q11] of people who register one name at the same time, at different servers, one owns it for good", async () => {
    const guests = Array.from({ length: 4 }, () => new Person(scene(), "guest"));
    const owners: [string, Person][] = [];
    for (let round = 0; round < 2; round += 1) {
      const user = scene().newName("wanted");
      const replies = await Promise.all(
        guests.map((guest, at) => {
          const password = `the password of guest ${at}`;
          return guest.tell(serverOf(at), "register", { user, password });
        }),
      );
      expect(replies.filter(isOk)).toHaveLength(1);
      for (const { code } of replies.filter((reply) => !isOk(reply)))
        expect(code).toBe("name_taken");
      const owner = replies.findIndex(isOk);
      owners.push([user, guests[owner] as Person]);
    }
    for (const [user, owner] of owners) {
      for (const [at, guest] of guests.entries()) {
        const reply = await guest.tell(serverOf(at), "login", {
          user,
          password: `the password of guest ${at}`,
        });
        expect(isOk(reply), `${at}`).toBe(guest === owner);
      }
    }
  });

  test("[Q6] a channel that is created at all servers at the same time is there once, and a later request for it is refused", async () => {
    const both = await scene().anaAndBia();
    for (let round = 0; round < 3; round += 1) {
      const channel = scene().newName("wanted");
      const create = (person: Person, server: number) =>
        person.tell(server, "channel", { channel });
      const replies = await Promise.all(
        servers.flatMap((server) => both.map((person) => create(person, server))),
      );
      expect(replies.some(isOk)).toBe(true);
      for (const reply of replies) if (!isOk(reply)) expect(reply.code).toBe("channel_exists");
      for (const server of servers) {
        expect(await create(both[0], server)).toMatchObject({ code: "channel_exists" });
        const { channels } = await both[0].ask(server, "channels", { prefix: channel });
        expect(channels).toEqual([channel]);
      }
    }
  });

  test("[Q18] of many buyers of few packs, at different servers, as many get one as there are packs, and each pays once or nothing", async () => {
    const packsLeft = 3;
    const buyers = await scene().people(8);
    await scene().operator.ask(1, "supply", { pack: "basic", left: packsLeft });
    const replies = await Promise.all(
      buyers.map((buyer, at) => {
        // Each asks twice, as after a time-out.
        const data = { user: buyer.user, pack: "basic", id: randomHex(16) };
        const ask = (server: number) => buyer.tell(server, "buy", data);
        return Promise.all([ask(serverOf(at)), ask(serverOf(at + 1))]);
      }),
    );
    await scene().operator.ask(1, "supply", { pack: "basic" });
    const sold: string[] = [];
    for (const [at, [first, again]] of replies.entries()) {
      const cards = isOk(first) ? (first.cards as string[]) : [];
      expect([again.code, again.cards]).toEqual([first.code, first.cards]);
      if (!isOk(first)) expect(first.code).toBe("sold_out");
      const coins = limits.firstCoins - (isOk(first) ? packs.basic.price : 0);
      const owned = { coins, cards: [...cards].sort() };
      expect(await wallet(serverOf(at + 2), buyers[at] as Person)).toEqual(owned);
      sold.push(...cards);
    }
    expect(replies.filter(([first]) => isOk(first))).toHaveLength(packsLeft);
    expect(new Set(sold).size).toBe(5 * packsLeft);
  });

  test("[Q19] an offer that is accepted at all servers at the same time exchanges the cards once", async () => {
    const [ana, bia] = (await scene().people(2)) as [Person, Person];
    const cards = await Promise.all(
      [ana, bia].map(async (person) => {
        return (await person.ask(1, "buy", { user: person.user, pack: "basic" })).cards;
      }),
    );
    const [give, want] = cards.map((bought) => bought.slice(0, 2)) as [string[], string[]];
    const { trade } = await ana.ask(2, "offer", { user: ana.user, to: bia.user, give, want });
    const replies = await Promise.all(
      servers.map((server) => bia.tell(server, "trade", { user: bia.user, trade, accept: true })),
    );
    expect(replies.filter(isOk)).toHaveLength(1);
    const [hers = [], his = []] = cards;
    const owned = (own: readonly string[], got: string[], gone: string[]) =>
      [...own.filter((card) => !gone.includes(card)), ...got].sort();
    for (const server of servers) {
      expect((await wallet(server, ana)).cards).toEqual(owned(hers, want, give));
      expect((await wallet(server, bia)).cards).toEqual(owned(his, give, want));
    }
  });

  test("[Q20] of game servers that seat one user at the same time, at different servers, one succeeds", async () => {
    const people = await scene().people(4);
    const [wanted, ...others] = people as [Person, ...Person[]];
    const { operator } = scene();
    const begun = await Promise.all(
      others.map((other, at) => {
        const game = `game_0000000${at}`;
        const players = [wanted, other].map(({ user }) => ({ user, game }));
        const match = randomHex(8);
        const data = { match, rules: "clash", players, host: game, game };
        return operator.tell(serverOf(at), "matchBegin", data);
      }),
    );
    expect(begun.filter(isOk)).toHaveLength(1);
    for (const reply of begun) if (!isOk(reply)) expect(reply.code).toBe("seated");
    const [open] = begun.filter(isOk);
    for (const server of servers) {
      const data = { user: wanted.user, consistency: "now" };
      expect((await wanted.ask(server, "match", data)).open?.match).toBe(open?.match);
    }
  });
}

import { expect, test } from "vitest";
import { randomHex } from "../../../src/platform/random.ts";
import type { Service } from "../../../src/protocol/client-messages.ts";
import type { Fields } from "../../../src/protocol/fields.ts";
import type { Reply } from "../../../src/protocol/replies.ts";
import { tokenOf } from "../../support/hook-scene.ts";
import { type Person, type Place, type Scene, serverOf, textsOf } from "./scene.ts";
import { servers } from "./subject.ts";

/** A request with an id, and what makes it another one with the same id. */
interface Written {
  readonly by: Person;
  readonly service: Service;
  readonly data: Fields;
  /** Missing if the request has no content (W17). */
  readonly other?: Fields;
}

/** A request of each kind that servers recognise by its id. */
async function everyWrite(scene: Scene): Promise<Written[]> {
  const [[ana, bia], [buyer]] = [await scene.anaAndBia(), await scene.people(1)];
  const { user, password } = ana;
  const [channel, removed] = [await scene.channel(ana), await scene.channel(ana)];
  const deploy = { user, channel, name: "deploy" };
  const [used, revoked, fresh] = [1, 2, 3].map(() => tokenOf(randomHex(8)));
  await ana.ask(1, "hook", { ...deploy, hookToken: used });
  const { hook } = await ana.ask(1, "hook", { ...deploy, hookToken: revoked });
  const message = "first";
  const other = { message: "second" };
  const basic = { user: buyer?.user, pack: "basic" };
  const newcomer = { user: scene.newName("person"), password: "secret" };
  const written: Written[] = [
    { by: ana, service: "login", data: { user, password } },
    { by: ana, service: "channel", data: { user, channel: scene.newName("room") } },
    { by: ana, service: "publish", data: { user, channel, message }, other },
    { by: ana, service: "message", data: { src: user, dst: bia.user, message }, other },
    { by: ana, service: "hook", data: { ...deploy, hookToken: fresh }, other: { name: "other" } },
    { by: ana, service: "post", data: { hookToken: used, message }, other },
    { by: ana, service: "unhook", data: { hook } },
    {
      by: scene.operator,
      service: "removal",
      data: { channel: removed, removed: true },
      other: { removed: false },
    },
    { by: ana, service: "register", data: newcomer },
    { by: buyer as Person, service: "buy", data: basic, other: { pack: "premium" } },
  ];
  return written.map(({ data, ...rest }) => ({ ...rest, data: { ...data, id: randomHex(16) } }));
}

/** Asks, and returns what stays the same in each later reply: a receipt, or what was decided. */
async function told({ by, service, data }: Written, server: number): Promise<unknown> {
  if (service === "register" || service === "buy") {
    const { slot, cards } = (await by.ask(server, service, data)) as Reply<"buy">;
    return { slot, cards };
  }
  return await by.write(server, service, data);
}

/** What servers promise of a write, whatever they keep conversations in. */
export function promisesOfWrites(scene: () => Scene): void {
  test("[R6] [D9] [K2] a repeated request of each kind gets what the first got, at each server and after a restart of all", async () => {
    const written = await everyWrite(scene());
    const first = new Map<Written, unknown>();
    for (const [at, one] of written.entries()) first.set(one, await told(one, serverOf(at)));
    const expectSame = async () => {
      for (const one of written) {
        for (const server of servers) {
          const where = `${one.service} at server ${server}`;
          expect(await told(one, server), where).toEqual(first.get(one));
        }
      }
    };
    await expectSame();
    await scene().subject.restart();
    await expectSame();
  });

  test("[R6] [D9] [W17] a request with a used id and other content gets id_reused at each server, and the first stands", async () => {
    for (const [at, one] of (await everyWrite(scene())).entries()) {
      if (one.other === undefined) continue;
      const first = await told(one, serverOf(at));
      for (const server of servers) {
        const data = { ...one.data, ...one.other };
        const { code } = await one.by.refusal(server, one.service, data);
        expect(code, `${one.service} at server ${server}`).toBe("id_reused");
        expect(await told(one, server)).toEqual(first);
      }
    }
  });

  test("[R6] an id stands for a request of one sender to one conversation, so others may have the same", async () => {
    const [ana, bia] = await scene().anaAndBia();
    const rooms = [await scene().channel(ana), await scene().channel(bia)];
    const request = { id: randomHex(16), message: "hi" };
    const names = new Set<string>();
    for (const person of [ana, bia]) {
      for (const channel of rooms) {
        const data = { ...request, user: person.user, channel };
        const { server, seq } = await person.write(serverOf(names.size), "publish", data);
        names.add(`${server}/${seq}`);
      }
    }
    expect(names.size).toBe(4);
    for (const channel of rooms) {
      expect(textsOf((await ana.history(1, { channel })).entries)).toEqual(["hi", "hi"]);
    }
  });

  test("[R6] [H6] a message that reaches all servers at the same moment is read once", async () => {
    const [ana] = await scene().anaAndBia();
    const channel = await scene().channel(ana);
    for (let round = 1; round <= 5; round += 1) {
      const data = { user: ana.user, channel, message: `round ${round}`, id: randomHex(16) };
      await Promise.all(servers.map((server) => ana.write(server, "publish", data)));
      for (const server of servers) {
        const { entries } = await ana.history(server, { channel });
        expect(textsOf(entries)).toHaveLength(round);
      }
    }
  });

  test("[R1] [K3] each origin numbers what it keeps without a gap, with rising clocks", async () => {
    const [ana, bia] = await scene().anaAndBia();
    const { user } = ana;
    const channel = await scene().channel(ana);
    const burst = () => {
      const kinds: [Service, () => Fields][] = [
        ["publish", () => ({ user, channel, message: "hi" })],
        ["message", () => ({ src: user, dst: bia.user, message: "hi" })],
        ["channel", () => ({ user, channel: scene().newName("room") })],
      ];
      return Promise.all(
        Array.from({ length: 45 }, (_, at) => {
          const [service, data] = kinds[at % kinds.length] as (typeof kinds)[0];
          return ana.write(serverOf(Math.floor(at / kinds.length)), service, data());
        }),
      );
    };
    const epoch = async () => (await ana.ask(1, "status")).epoch;
    let receipts: Place[];
    let before: unknown;
    // A new coordinator's first event has a number too. Then the numbers of another burst count.
    do {
      before = await epoch();
      receipts = await burst();
    } while (JSON.stringify(await epoch()) !== JSON.stringify(before));
    const byOrigin = new Map<string, { seq: number; clock: number }[]>();
    for (const { server, seq, clock } of receipts) {
      byOrigin.set(server, [...(byOrigin.get(server) ?? []), { seq, clock }]);
    }
    expect(byOrigin.size).toBeGreaterThan(1);
    for (const [origin, places] of byOrigin) {
      places.sort((a, b) => a.seq - b.seq);
      for (const [at, place] of places.entries()) {
        const before = places[at - 1];
        if (before === undefined) continue;
        expect(place.seq, origin).toBe(before.seq + 1);
        expect(place.clock, origin).toBeGreaterThan(before.clock);
      }
    }
  });

  test("[R7] [K3] each write has a higher clock than all that its sender was told before, at whatever servers", async () => {
    const [ana, bia] = await scene().anaAndBia();
    const message = { src: ana.user, dst: bia.user, message: "hi" };
    let told = scene().clock;
    for (let step = 0; step < 12; step += 1) {
      const isChannel = step % 2 === 0;
      const data = isChannel ? { channel: scene().newName("room") } : message;
      const { clock } = await ana.write(serverOf(step), isChannel ? "channel" : "message", data);
      expect(clock).toBeGreaterThan(told);
      told = scene().clock;
    }
  });
}

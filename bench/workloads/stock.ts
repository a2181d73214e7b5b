import { random } from "../../src/platform/random.ts";
import type { CardId } from "../../src/protocol/cards.ts";
import { ProtocolError } from "../../src/protocol/errors.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { hasPostgres, startPostgres } from "../../src/trials/postgres.ts";
import {
  type Buyer,
  buy,
  enter,
  killServers,
  raceForPacks,
  supply,
} from "../../test/cluster/race-for-packs.ts";
import { figures, none, type Trial, type Workload } from "../workload.ts";

const traders = 20;
const packsOfTrader = 5;
const tradesAtOnce = 8;

type Size = "buyers" | "packs" | "trades";
const counts = { buyers: 200, packs: 10, trades: 1_000 };

export const stock: Workload<Size> = {
  name: "stock",
  description: "buyers race for few packs, and users exchange cards, while coordinators are killed",
  counts,
  measure: (trial) => sell(trial),
};

export const engineStock: Workload<Size> = {
  name: "engine-stock",
  description:
    "the race for packs and the exchange, while servers with an engine are killed in turn",
  counts,
  missing: () => (hasPostgres ? undefined : "it needs PostgreSQL 15."),
  async measure(trial) {
    await using postgres = await startPostgres({ standby: true });
    return await sell(trial, await postgres.createDatabase());
  },
};

async function sell({ counts: { buyers, packs, trades }, note }: Trial<Size>, engine?: string) {
  await using cluster = await LocalCluster.start({ auth: "required", ...(engine && { engine }) });
  const people = await enter(cluster, buyers + traders);
  const [racers, holders] = [people.slice(0, buyers), people.slice(buyers)];
  await supply(cluster, packs);
  const over = new AbortController();
  const killing = killServers(cluster, over.signal);
  const { sold, breaches } = await raceForPacks(racers, packs);
  await supply(cluster);
  const held = (await Promise.all(holders.map(buyAll))).flat();
  const exchanged = await exchange(holders, trades);
  over.abort();
  const kills = await killing;
  breaches.push(...(await lostOrDoubled(holders, held)));
  for (const breach of breaches) note(breach);
  return [
    ...figures("stock", { sold, refused: buyers - sold, exchanged, kills }),
    none("violations", breaches.length),
  ];
}

async function buyAll(person: Buyer): Promise<CardId[]> {
  const cards: CardId[] = [];
  for (let left = packsOfTrader; left > 0; left -= 1) cards.push(...((await buy(person)) ?? []));
  return cards;
}

/** Has random cards exchanged, many at once. @returns how many exchanges were told */
async function exchange(holders: readonly Buyer[], trades: number): Promise<number> {
  let made = 0;
  const pick = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)] as T;
  const one = async () => {
    while (made < trades) {
      const [by, to] = [pick(holders), pick(holders)];
      const [mine, theirs] = await Promise.all(
        [by, to].map(({ user, session }) => session.ask("cards", { user })),
      );
      if (by === to || !mine?.cards.length || !theirs?.cards.length) continue;
      const cards = { give: [pick(mine.cards)], want: [pick(theirs.cards)] };
      try {
        const { trade } = await by.session.ask("offer", { user: by.user, to: to.user, ...cards });
        const asked = { user: to.user, trade };
        try {
          await to.session.ask("trade", { ...asked, accept: true });
          made += 1;
        } catch (error) {
          if (!isRefusal(error)) throw error;
          await to.session.ask("trade", { ...asked, accept: false });
        }
      } catch (error) {
        if (!isRefusal(error)) throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: tradesAtOnce }, one));
  return made;
}

/** Whether the owner of a card has changed since the offer was made. */
function isRefusal(error: unknown): boolean {
  return error instanceof ProtocolError && error.code === "card_not_owned";
}

async function lostOrDoubled(
  holders: readonly Buyer[],
  held: readonly CardId[],
): Promise<string[]> {
  const now: CardId[] = [];
  for (const { user, session } of holders) {
    now.push(...(await session.ask("cards", { user }, { consistency: "now" })).cards);
  }
  return now.sort().join() === [...held].sort().join()
    ? []
    : [`${held.length} cards became ${now.length}`];
}

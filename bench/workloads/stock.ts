import type { Session } from "../../src/client/session.ts";
import { Sessions } from "../../src/net/sessions.ts";
import { pause } from "../../src/platform/clock.ts";
import { random } from "../../src/platform/random.ts";
import type { CardId } from "../../src/protocol/cards.ts";
import { ProtocolError } from "../../src/protocol/errors.ts";
import { parseUserName, type UserName } from "../../src/protocol/ids.ts";
import { limits } from "../../src/protocol/limits.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { secretIn } from "../../test/support/members-door.ts";
import { password } from "../chat-load.ts";
import { figures, none, type Workload } from "../workload.ts";

/** The pause between two kills of the coordinator. */
const killEveryMs = 2_000;
const traders = 20;
const packsOfTrader = 5;
const tradesAtOnce = 8;
const patient = { proxies: [], deadlineMs: 60_000 };

interface Person {
  readonly user: UserName;
  readonly session: Session;
}

export const stock: Workload<"buyers" | "packs" | "trades"> = {
  name: "stock",
  description: "buyers race for few packs, and users exchange cards, while coordinators are killed",
  counts: { buyers: 200, packs: 10, trades: 1_000 },
  async measure({ counts: { buyers, packs, trades }, note }) {
    await using cluster = await LocalCluster.start({ auth: "required" });
    const token = new Sessions(secretIn(cluster.folder).deriveKeys("token")).giveOperator(
      Date.now(),
    );
    const operator = cluster.client({ ...patient, token });
    const people = await enter(cluster, buyers + traders);
    const [racers, holders] = [people.slice(0, buyers), people.slice(buyers)];
    await operator.ask("supply", { pack: "basic", left: packs });
    const over = new AbortController();
    const killing = killCoordinators(cluster, operator, over.signal);
    const bought = await Promise.all(racers.map(buy));
    const sold = bought.filter((cards) => cards !== undefined).length;
    const breaches = await unfair(racers, bought);
    if (sold !== packs) breaches.push(`${sold} packs were sold, and not ${packs}`);
    await operator.ask("supply", { pack: "basic" });
    const held = (await Promise.all(holders.map(buyAll))).flat();
    const made = await exchange(holders, trades);
    over.abort();
    const kills = await killing;
    breaches.push(...(await lostOrDoubled(holders, held)));
    for (const breach of breaches) note(breach);
    return [
      ...figures("stock", { sold, refused: buyers - sold, exchanged: made, kills }),
      none("violations", breaches.length),
    ];
  },
};

async function enter(cluster: LocalCluster, count: number): Promise<Person[]> {
  let connection = cluster.connection(patient);
  const people: Person[] = [];
  for (let number = 0; number < count; number += 1) {
    const user = parseUserName(`person${number}`);
    // A connection has a pace too, so each has some people only.
    if (number % 20 === 0) connection = cluster.connection(patient);
    // A server takes only so many attempts with a password over one connection (A9).
    const guests = cluster.connection(patient);
    let token: string | undefined;
    const guest = guests.session({
      onToken: (given) => {
        token = given;
      },
    });
    await guest.register(user, password);
    await guest.login(user, password);
    guests.close();
    people.push({ user, session: connection.session({ token }) });
  }
  return people;
}

/** Kills the coordinator again and again. @returns how often */
async function killCoordinators(
  cluster: LocalCluster,
  session: Session,
  signal: AbortSignal,
): Promise<number> {
  for (let kills = 0; ; ) {
    const { coordinator } = await session.status();
    const victim = cluster.of("server").find(({ ready }) => ready?.name === coordinator);
    if (victim !== undefined) {
      const back = victim.nextReady();
      victim.signal("SIGKILL");
      kills += 1;
      await back;
    }
    if (signal.aborted) return kills;
    await pause(killEveryMs);
  }
}

/** @returns the cards; undefined if the pack is sold out */
async function buy({ user, session }: Person): Promise<readonly CardId[] | undefined> {
  try {
    return (await session.ask("buy", { user, pack: "basic" })).cards;
  } catch (error) {
    if (error instanceof ProtocolError && error.code === "sold_out") return undefined;
    throw error;
  }
}

async function buyAll(person: Person): Promise<CardId[]> {
  const cards: CardId[] = [];
  for (let left = packsOfTrader; left > 0; left -= 1) cards.push(...((await buy(person)) ?? []));
  return cards;
}

/** Returns what is wrong with the wallets and cards of buyers, who were told these cards. */
async function unfair(
  racers: readonly Person[],
  bought: readonly (readonly CardId[] | undefined)[],
): Promise<string[]> {
  const price = 100;
  const wrong: string[] = [];
  for (const [at, { user, session }] of racers.entries()) {
    const told = bought[at];
    const { coins } = await session.ask("shop", { user }, { consistency: "now" });
    const { cards } = await session.ask("cards", { user }, { consistency: "now" });
    const paid = limits.firstCoins - coins;
    if (paid !== (told === undefined ? 0 : price)) wrong.push(`${user} paid ${paid} for ${told}`);
    if (cards.join() !== [...(told ?? [])].sort().join())
      wrong.push(`${user} has ${cards}, told ${told}`);
  }
  return wrong;
}

/** Has random cards exchanged, many at once. @returns how many exchanges were told */
async function exchange(holders: readonly Person[], trades: number): Promise<number> {
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
  holders: readonly Person[],
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

import type { Session } from "../../src/client/session.ts";
import { Sessions } from "../../src/net/sessions.ts";
import { pause } from "../../src/platform/clock.ts";
import { type CardId, packs } from "../../src/protocol/cards.ts";
import { ProtocolError } from "../../src/protocol/errors.ts";
import { parseUserName, type UserName } from "../../src/protocol/ids.ts";
import { limits } from "../../src/protocol/limits.ts";
import type { LocalCluster } from "../../src/trials/local-cluster.ts";
import { secretIn } from "../support/members-door.ts";

/** The pause between two kills of a server. */
const killEveryMs = 2_000;
const patient = { proxies: [], deadlineMs: 60_000 };
const password = "a password of the race";

export interface Buyer {
  readonly user: UserName;
  readonly session: Session;
}

/**
 * Makes users with accounts, who are logged in. Each has a connection, because requests that share
 * one may share a payload, and one server decides them together.
 */
export function enter(cluster: LocalCluster, count: number): Promise<Buyer[]> {
  const entering = Array.from({ length: count }, async (_, number) => {
    const user = parseUserName(`person${number}`);
    const session = cluster.client(patient);
    await session.register(user, password);
    await session.login(user, password);
    return { user, session };
  });
  return Promise.all(entering);
}

/** Limits how many basic packs are left; without a number only the stock of cards is the limit. */
export async function supply(cluster: LocalCluster, left?: number): Promise<void> {
  const sessions = new Sessions(secretIn(cluster.folder).deriveKeys("token"));
  using operator = cluster.client({ ...patient, token: sessions.giveOperator(Date.now()) });
  await operator.ask("supply", { pack: "basic", left });
}

/** Buys a basic pack. @returns its cards; undefined if it is sold out */
export async function buy({ user, session }: Buyer): Promise<readonly CardId[] | undefined> {
  try {
    return (await session.ask("buy", { user, pack: "basic" })).cards;
  } catch (error) {
    if (error instanceof ProtocolError && error.code === "sold_out") return undefined;
    throw error;
  }
}

/** Lets all buyers buy a pack at the same time. @returns how many got one, and what is wrong */
export async function raceForPacks(buyers: readonly Buyer[], left: number) {
  const bought = await Promise.all(buyers.map(buy));
  const sold = bought.filter((cards) => cards !== undefined).length;
  const breaches = await unfair(buyers, bought);
  if (sold !== left) breaches.push(`${sold} packs were sold, and not ${left}`);
  return { sold, breaches };
}

/** Returns what is wrong with the wallets and cards of buyers, who were told these cards. */
async function unfair(
  buyers: readonly Buyer[],
  bought: readonly (readonly CardId[] | undefined)[],
): Promise<string[]> {
  const wrong: string[] = [];
  for (const [at, { user, session }] of buyers.entries()) {
    const told = bought[at];
    const { coins } = await session.ask("shop", { user }, { consistency: "now" });
    const { cards } = await session.ask("cards", { user }, { consistency: "now" });
    const paid = limits.firstCoins - coins;
    if (paid !== (told === undefined ? 0 : packs.basic.price)) {
      wrong.push(`${user} paid ${paid} for ${told}`);
    }
    if (cards.join() !== [...(told ?? [])].sort().join())
      wrong.push(`${user} has ${cards}, told ${told}`);
  }
  const cards = bought.flatMap((told) => told ?? []);
  if (new Set(cards).size !== cards.length) wrong.push(`a card was sold twice: ${cards}`);
  return wrong;
}

/**
 * Kills servers again and again: the coordinator, or with an engine, which has none, each server in
 * turn. @returns how often
 */
export async function killServers(cluster: LocalCluster, signal: AbortSignal): Promise<number> {
  using session = cluster.client(patient);
  const servers = cluster.of("server");
  for (let kills = 0; ; ) {
    const { coordinator } = await session.status();
    const victim =
      cluster.engine === undefined
        ? servers.find(({ ready }) => ready?.name === coordinator)
        : servers[kills % servers.length];
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

import type { Session } from "../../src/client/session.ts";
import type { Child } from "../../src/cluster/child.ts";
import { pause } from "../../src/platform/clock.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { until } from "../../test/support/until.ts";
import { DuelPairs } from "../duel-pairs.ts";
import type { DuelPlayer } from "../duel-player.ts";
import { MatchLogs } from "../match-logs.ts";
import { percentile } from "../measure.ts";
import { figures, none, type Workload } from "../workload.ts";

/** Milliseconds for which a host is stopped. */
const stoppedMs = 4_000;
/** The most milliseconds until a match must have gone on. */
const mostMs = 15_000;

export const hostKills: Workload<"kills" | "stops"> = {
  name: "host-kills",
  description: "matches of cards go on when their hosts are killed (-9) or stopped for 4 s",
  counts: { kills: 200, stops: 50 },
  async measure({ counts: { kills, stops }, note }) {
    await using cluster = await LocalCluster.start({ games: 3, gateways: 0 });
    const logs = new MatchLogs(cluster.folder);
    const pairs = await DuelPairs.start({ cluster, pairs: 2, paceMs: 150, isAtHome: true });
    const { players } = pairs;
    const trial = new Trial({ cluster, logs, players });
    const [killed, stopped]: [number[], number[]] = [[], []];
    for (let number = 1; number <= kills + stops; number += 1) {
      const player = players[number % players.length] as DuelPlayer;
      // Stops are spread among the kills.
      const isStop = (number * stops) % (kills + stops) < stops;
      const ms = await trial.strike(player, isStop);
      (isStop ? stopped : killed).push(ms);
      note(`${number} of ${kills + stops}: ${Math.round(ms)} ms`);
    }
    await pause(2_000);
    await pairs[Symbol.asyncDispose]();
    logs.read();
    const told = players.flatMap((one) => one.told);
    const played = players.flatMap((one) => one.played);
    const breaches = logs.breaches(told, played);
    for (const breach of breaches.slice(0, 20)) note(breach);
    const failures = pairs.failures.filter((one) => one.includes("again"));
    return [
      ...figures("killed", summary(killed)),
      ...figures("stopped", summary(stopped)),
      ...figures("matches", { told: told.length, actions: played.length }),
      none("breaches", breaches.length + failures.length),
    ];
  },
};

function summary(times: readonly number[]) {
  return {
    times: times.length,
    "goes on after p50 ms": percentile(times, 0.5),
    "p99 ms": percentile(times, 0.99),
    "longest ms": Math.max(0, ...times),
  };
}

interface TrialParts {
  readonly cluster: LocalCluster;
  readonly logs: MatchLogs;
  readonly players: readonly DuelPlayer[];
}

/** Kills or stops hosts, and measures how long their matches stand still. */
class Trial {
  readonly #parts: TrialParts;
  readonly #session: Session;

  constructor(parts: TrialParts) {
    this.#parts = parts;
    this.#session = parts.cluster.client();
  }

  /** @returns milliseconds until the players of the match were told of the next event */
  async strike(player: DuelPlayer, isStop: boolean): Promise<number> {
    const { match, child, other } = await this.#hosted(player);
    await pause(Math.random() * 300);
    const told = (one: DuelPlayer) => one.told.filter((event) => event.match === match);
    // A FAILOVER may follow the end.
    const isOver = (one: DuelPlayer) => told(one).some(({ event }) => event.type === "MATCH_END");
    if ([player, other].some(isOver)) return await this.strike(player, isStop);
    const struckMs = performance.now();
    child.signal(isStop ? "SIGSTOP" : "SIGKILL");
    this.#parts.logs.read();
    const isTold = (one: DuelPlayer) => told(one).some(({ atMs }) => atMs > struckMs + 50);
    const goesOn = () => [player, other].every((one) => isOver(one) || isTold(one));
    const back = isStop ? resume(child) : child.nextReady().then(() => {});
    await until(goesOn, `match ${match} goes on`, mostMs);
    const tookMs = performance.now() - struckMs;
    await back;
    return tookMs;
  }

  /** Returns a match that the player sits in, its host, and the other player. */
  async #hosted(player: DuelPlayer): Promise<{ match: string; child: Child; other: DuelPlayer }> {
    for (;;) {
      const { open } = await this.#session.ask(
        "match",
        { user: player.user },
        { consistency: "now" },
      );
      const child = this.#parts.cluster.of("game").find(({ ready }) => ready?.name === open?.host);
      const opponent = open?.players.find(({ user }) => user !== player.user)?.user;
      const other = this.#parts.players.find(({ user }) => user === opponent);
      const isUnderWay = player.told.some(({ match }) => match === open?.match);
      if (
        open !== undefined &&
        child?.isReady &&
        other &&
        open.shadow !== undefined &&
        isUnderWay
      ) {
        return { match: open.match, child, other };
      }
      await pause(50);
    }
  }
}

async function resume(child: Child): Promise<void> {
  await pause(stoppedMs);
  child.signal("SIGCONT");
}

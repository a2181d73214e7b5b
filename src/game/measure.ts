import type { Metrics } from "../platform/metrics.ts";
import type { GameCore } from "./core/game-core.ts";
import type { MatchStore } from "./match-store.ts";
import type { Players } from "./players.ts";

interface Measured {
  core(): GameCore;
  readonly store: MatchStore;
  readonly players: Players;
}

const secondsBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** Adds the metrics of a game server (O50). */
export function measureGame(metrics: Metrics, { core, store, players }: Measured): void {
  metrics.gauge(
    {
      name: "tertulia_matches",
      help: "Open matches of which this server has a copy, by its part.",
      labels: ["part"],
    },
    () => {
      const { hosted, shadowed } = core().holdings.counts;
      return [
        { labels: { part: "host" }, value: hosted },
        { labels: { part: "shadow" }, value: shadowed },
      ];
    },
  );
  metrics.gauge(
    { name: "tertulia_waiting_players", help: "Players in the queue of this server." },
    () => core().matchmaking.size,
  );
  metrics.gauge(
    { name: "tertulia_player_requests", help: "Requests of players that wait for an answer." },
    () => players.open,
  );
  const { figures } = core();
  metrics.counter(
    {
      name: "tertulia_match_operations_total",
      help: "Operations on matches that this server has hosted, by what became of them.",
      labels: ["outcome"],
    },
    () =>
      (["committed", "refused", "rolledBack"] as const).map((outcome) => {
        return { labels: { outcome }, value: figures[outcome] };
      }),
  );
  metrics.counter(
    { name: "tertulia_match_failovers_total", help: "Matches that this server has taken over." },
    () => figures.failovers,
  );
  metrics.counter(
    {
      name: "tertulia_match_forged_total",
      help: "Commits of hosts that this server has refused as a shadow.",
    },
    () => figures.forged,
  );
  metrics.gauge(
    { name: "tertulia_match_log_bytes", help: "Bytes of the file with the logs of all matches." },
    () => store.bytes,
  );
  const replicated = metrics.histogram(
    {
      name: "tertulia_match_replication_seconds",
      help: "From the proposal of an operation until host and shadow have it on their disks.",
    },
    secondsBounds,
  );
  figures.onReplicated = (ms) => replicated(ms / 1_000);
  store.onSync = metrics.histogram(
    { name: "tertulia_match_sync_seconds", help: "A write of the logs, with its sync." },
    secondsBounds,
  );
}

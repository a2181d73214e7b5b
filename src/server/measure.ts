import type { Metrics } from "../platform/metrics.ts";
import type { SentReply } from "../protocol/client-messages.ts";
import type { DiskSpace } from "../protocol/reference-messages.ts";
import type { Figures } from "./core/reports.ts";

interface Measured {
  /** Returns what the core measures; undefined while there is no core. */
  figures(): Figures | undefined;
  /** Returns the space on the data folder's disk; undefined if the system does not tell. */
  disk(): DiskSpace | undefined;
  /** Whether a service is one of this server's; anybody can send requests for other services. */
  isService(name: string): boolean;
}

/** Records what only the shell sees. */
export interface Recorder {
  /** Records the replies to one payload. @param seconds from its arrival to the replies */
  answered(replies: readonly SentReply[], seconds: number): void;
  /** Records a batch of journal lines. @param seconds for writing and syncing the lines */
  synced(lines: number, seconds: number): void;
}

/** Seconds: from less than a sync of a fast disk to the longest wait for a commit. */
const secondsBounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];
const countBounds = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024];

/** Adds a server's metrics (O50). */
export function measureServer(metrics: Metrics, { figures, disk, isService }: Measured): Recorder {
  const gauge = (name: string, help: string, read: (figures: Figures) => number) =>
    metrics.gauge({ name: `tertulia_${name}`, help }, () => {
      const found = figures();
      return found === undefined ? [] : read(found);
    });
  gauge("serving", "1 while the server takes requests.", ({ isServing }) => Number(isServing));
  gauge("members", "Members of the view.", ({ view }) => view.members.length);
  gauge("live_members", "Members heard within 1.5 s.", ({ liveMembers }) => liveMembers);
  gauge("view", "Number of the view.", ({ view }) => view.number);
  gauge("coordinator", "1 on the coordinator.", ({ isCoordinator }) => Number(isCoordinator));
  gauge("epoch_view", "View number of the known epoch.", ({ epoch }) => epoch.view);
  gauge("epoch_term", "Term number of the known epoch.", ({ epoch }) => epoch.term);
  gauge("open_requests", "Requests that wait for an answer.", ({ openRequests }) => openRequests);
  gauge("events", "Events in this server's log.", ({ held }) => held);
  gauge("committed_events", "Events on the disks of a quorum.", ({ committed }) => committed);
  gauge(
    "clock_offset_seconds",
    "The cluster's time minus this machine's clock.",
    ({ offsetMs }) => offsetMs / 1_000,
  );
  measurePeers(metrics, figures);
  metrics.gauge({ name: "tertulia_disk_free_bytes", help: "Free space for the data." }, () => {
    return disk()?.freeBytes ?? [];
  });
  metrics.gauge({ name: "tertulia_disk_bytes", help: "Size of the disk for the data." }, () => {
    return disk()?.totalBytes ?? [];
  });
  metrics.counter(
    {
      name: "tertulia_disbelieved_clocks_total",
      help: "Requests whose clock was missing, invalid or too far ahead.",
    },
    () => figures()?.disbelievedClocks ?? 0,
  );
  return { answered: replyRecorder(metrics, isService), synced: syncRecorder(metrics) };
}

function measurePeers(metrics: Metrics, figures: Measured["figures"]): void {
  const labels = ["peer"];
  const peers = () => figures()?.peers ?? [];
  metrics.gauge(
    {
      name: "tertulia_peer_lag_events",
      help: "Events on this disk and not yet, as far as known, on the peer's.",
      labels,
    },
    () => peers().map(({ name: peer, lag }) => ({ labels: { peer }, value: lag })),
  );
  metrics.gauge(
    { name: "tertulia_peer_silence_seconds", help: "Time since the peer was heard.", labels },
    () =>
      peers()
        .filter(({ silentMs }) => Number.isFinite(silentMs))
        .map(({ name: peer, silentMs }) => ({ labels: { peer }, value: silentMs / 1_000 })),
  );
}

function replyRecorder(metrics: Metrics, isService: Measured["isService"]): Recorder["answered"] {
  const counts = new Map<string, Map<string, number>>();
  let failed = 0;
  metrics.counter(
    {
      name: "tertulia_failed_requests_total",
      help: "Requests answered with unavailable or internal.",
    },
    () => failed,
  );
  metrics.counter(
    {
      name: "tertulia_requests_total",
      help: "Answered requests by service and error code; the code of a success is OK.",
      labels: ["service", "code"],
    },
    () =>
      [...counts].flatMap(([service, codes]) =>
        [...codes].map(([code, value]) => ({ labels: { service, code }, value })),
      ),
  );
  const took = metrics.histogram(
    {
      name: "tertulia_payload_seconds",
      help: "From the arrival of a payload of requests to the reply.",
    },
    secondsBounds,
  );
  const held = metrics.histogram(
    { name: "tertulia_payload_requests", help: "Requests in a payload." },
    countBounds,
  );
  return (replies, seconds) => {
    took(seconds);
    held(replies.length);
    for (const { service, data } of replies) {
      const known = isService(service) ? service : "other";
      const codes = counts.get(known) ?? new Map<string, number>();
      const code = typeof data.code === "string" ? data.code : "OK";
      counts.set(known, codes.set(code, (codes.get(code) ?? 0) + 1));
      if (code === "unavailable" || code === "internal") failed += 1;
    }
  };
}

function syncRecorder(metrics: Metrics): Recorder["synced"] {
  const took = metrics.histogram(
    { name: "tertulia_journal_sync_seconds", help: "Writing and syncing a batch of the journal." },
    secondsBounds,
  );
  const held = metrics.histogram(
    { name: "tertulia_journal_batch_events", help: "Events in a batch of the journal." },
    countBounds,
  );
  return (lines, seconds) => {
    took(seconds);
    held(lines);
  };
}

import type { Metrics } from "../platform/metrics.ts";
import type { SentReply } from "../protocol/client-messages.ts";
import type { DiskSpace } from "../protocol/reference-messages.ts";
import { quorumOf } from "../protocol/view.ts";
import type { Sizes } from "../storage/sizes.ts";
import type { Figures } from "./core/figures.ts";

interface Measured {
  /** Returns what the core measures; undefined while there is no core. */
  figures(): Figures | undefined;
  /** Returns the sizes of the server's files. */
  sizes(): Sizes;
  /** How often a peer's saved state has replaced this server's own. */
  fetchedStates(): number;
  /** Returns the space on the data folder's disk; undefined if the system does not tell. */
  disk(): DiskSpace | undefined;
  /** Whether a service is one of this server's; anybody can send requests for other services. */
  isService(name: string): boolean;
  /** Whether the service makes a message or a channel, so that its reply waits for a commit. */
  isWrite(service: string): boolean;
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
/** The code of a request that succeeded. */
const success = "OK";
/** Stands for services that do not exist, and for codes beyond `mostPairs`. */
const rest = "other";
/** The most pairs of a service and a code, besides a success and a rest of each service. */
const mostPairs = 48;
const countBounds = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024];

/** Adds a server's metrics (O50). */
export function measureServer(metrics: Metrics, measured: Measured): Recorder {
  const { figures, fetchedStates } = measured;
  measureServing(metrics, figures);
  measureFigures(metrics, figures);
  measureCounts(metrics, figures);
  measurePeers(metrics, figures);
  metrics.counter(
    {
      name: "tertulia_fetched_states_total",
      help: "Times that a peer's saved state has replaced this server's own.",
    },
    fetchedStates,
  );
  measureStorage(metrics, measured);
  return { answered: replyRecorder(metrics, measured), synced: syncRecorder(metrics) };
}

/** What every server measures about the requests that it serves. */
export type ServingFigures = Pick<
  Figures,
  | "isServing"
  | "openRequests"
  | "openPasswords"
  | "presentUsers"
  | "topics"
  | "offsetMs"
  | "published"
  | "repeatedWrites"
  | "disbelievedClocks"
>;

/** Adds what every server measures; absent while the figures are undefined. */
export function measureServing(metrics: Metrics, figures: () => ServingFigures | undefined): void {
  const gauge = gaugeOf(metrics, figures);
  const counter = counterOf(metrics, figures);
  gauge("serving", "1 while the server takes requests.", ({ isServing }) => Number(isServing));
  gauge("open_requests", "Requests that wait for an answer.", ({ openRequests }) => openRequests);
  gauge(
    "open_passwords",
    "Passwords that wait, or are being hashed or checked.",
    ({ openPasswords }) => openPasswords,
  );
  gauge("present_users", "Users who are online or away.", ({ presentUsers }) => presentUsers);
  gauge("wanted_topics", "Topics with at least one subscriber.", ({ topics }) => topics);
  gauge(
    "clock_offset_seconds",
    "The cluster's time minus this machine's clock.",
    ({ offsetMs }) => offsetMs / 1_000,
  );
  counter(
    "published_messages",
    "Messages of this server that were published.",
    ({ published }) => published,
  );
  counter(
    "repeated_writes",
    "Writes that an earlier copy of the request had made already.",
    ({ repeatedWrites }) => repeatedWrites,
  );
  counter(
    "disbelieved_clocks",
    "Requests whose clock was missing, invalid or too far ahead.",
    ({ disbelievedClocks }) => disbelievedClocks,
  );
}

function gaugeOf<F>(metrics: Metrics, figures: () => F | undefined) {
  return (name: string, help: string, read: (figures: F) => number) =>
    metrics.gauge({ name: `tertulia_${name}`, help }, () => {
      const found = figures();
      return found === undefined ? [] : read(found);
    });
}

function counterOf<F>(metrics: Metrics, figures: () => F | undefined) {
  return (name: string, help: string, read: (figures: F) => number) =>
    metrics.counter({ name: `tertulia_${name}_total`, help }, () => {
      const found = figures();
      return found === undefined ? [] : read(found);
    });
}

/** Adds the values of the core that rise and fall; they are absent while there is no core. */
function measureFigures(metrics: Metrics, figures: Measured["figures"]): void {
  const gauge = gaugeOf(metrics, figures);
  gauge("members", "Members of the view.", ({ view }) => view.members.length);
  gauge("live_members", "Members heard within 1.5 s.", ({ liveMembers }) => liveMembers);
  gauge("quorum", "Members that a quorum needs.", ({ view }) => quorumOf(view));
  gauge("view", "Number of the view.", ({ view }) => view.number);
  gauge("coordinator", "1 on the coordinator.", ({ isCoordinator }) => Number(isCoordinator));
  gauge("epoch_view", "View number of the known epoch.", ({ epoch }) => epoch.view);
  gauge("epoch_term", "Term number of the known epoch.", ({ epoch }) => epoch.term);
  gauge(
    "open_operations",
    "Operations that wait for their outcome.",
    ({ openOperations }) => openOperations,
  );
  gauge(
    "decisions_differ",
    "1 if this server has applied other decisions than another server.",
    ({ decisionFaults }) => Number(decisionFaults.differs !== undefined),
  );
  gauge(
    "decisions_stopped",
    "1 while this server applies no decisions, because it does not know an operation.",
    ({ decisionFaults }) => Number(decisionFaults.unknownKind !== undefined),
  );
  gauge(
    "unpublished_messages",
    "Messages that are published once they are committed.",
    ({ unpublished }) => unpublished,
  );
  gauge("events", "Events in this server's log.", ({ held }) => held);
  gauge("committed_events", "Events on the disks of a quorum.", ({ committed }) => committed);
  gauge("repairing", "1 while this disk lacks events that it once had.", ({ missesEvents }) =>
    Number(missesEvents),
  );
}

/** Adds the values of the core that only rise. */
function measureCounts(metrics: Metrics, figures: Measured["figures"]): void {
  const counter = counterOf(metrics, figures);
  counter("gaps", "Times that a peer's message came after missing events.", ({ gaps }) => gaps);
  counter("fetched_events", "Events that peers returned on request.", (found) => {
    return found.fetchedEvents;
  });
  counter("repairs", "Times that this disk got lost events back.", ({ repairs }) => repairs);
  metrics.counter(
    {
      name: "tertulia_operations_total",
      help: "Decided operations, also of other servers' clients.",
      labels: ["outcome"],
    },
    () =>
      Object.entries(figures()?.operations ?? {}).map(([outcome, value]) => {
        return { labels: { outcome }, value };
      }),
  );
}

function measureStorage(metrics: Metrics, { disk, sizes }: Measured): void {
  const gauge = (name: string, help: string, read: () => number | undefined) =>
    metrics.gauge({ name: `tertulia_${name}_bytes`, help }, () => read() ?? []);
  gauge("disk_free", "Free space for the data.", () => disk()?.freeBytes);
  gauge("disk", "Size of the disk for the data.", () => disk()?.totalBytes);
  gauge("journal", "Size of the journal.", () => sizes().journalBytes);
  gauge("saved_state", "Size of the saved state.", () => sizes().stateBytes);
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

/** Adds the counts of replies, which every server has. */
export function replyRecorder(
  metrics: Metrics,
  { isService, isWrite }: Pick<Measured, "isService" | "isWrite">,
): Recorder["answered"] {
  const count = requestCounter(metrics, isService);
  let failed = 0;
  let sessions = 0;
  metrics.counter(
    { name: "tertulia_sessions_total", help: "Log-in sessions that were granted." },
    () => sessions,
  );
  metrics.counter(
    {
      name: "tertulia_failed_requests_total",
      help: "Requests answered with unavailable or internal.",
    },
    () => failed,
  );
  const took = metrics.histogram(
    {
      name: "tertulia_payload_seconds",
      help: "From the arrival of a payload of requests to the reply.",
    },
    secondsBounds,
  );
  const written = metrics.histogram(
    {
      name: "tertulia_write_seconds",
      help: "From the arrival of a payload with a message or channel to the reply after its commit.",
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
    let isWritten = false;
    for (const { service, data } of replies) {
      const code = typeof data.code === "string" ? data.code : success;
      count(service, code);
      if (code === "unavailable" || code === "internal") failed += 1;
      if (code === success) isWritten ||= isWrite(service);
      if (data.token !== undefined) sessions += 1;
    }
    if (isWritten) written(seconds);
  };
}

/** Counts requests by service and code. The number of these pairs is limited (O50). */
function requestCounter(metrics: Metrics, isService: Measured["isService"]) {
  const counts = new Map<string, Map<string, number>>();
  let pairs = 0;
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
  const add = (service: string, code: string): void => {
    const codes = counts.get(service) ?? new Map<string, number>();
    const before = codes.get(code);
    // Clients choose the errors that they cause, so late pairs of a service and an error share one
    // code. Each service has a success.
    const isLate = before === undefined && pairs >= mostPairs;
    if (isLate && code !== success && code !== rest) return add(service, rest);
    if (before === undefined) pairs += 1;
    counts.set(service, codes.set(code, (before ?? 0) + 1));
  };
  return (service: string, code: string) => add(isService(service) ? service : rest, code);
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

import type { Membership } from "../net/membership.ts";
import type { ReferenceLink } from "../net/reference-link.ts";
import type { Responder } from "../net/responder.ts";
import { now } from "../platform/clock.ts";
import { processId } from "../platform/host.ts";
import type { Log, RequestLog } from "../platform/log.ts";
import { PasswordThread } from "../platform/password-thread.ts";
import { crash, type Running } from "../platform/run-process.ts";
import type { ServerName } from "../protocol/ids.ts";
import type { LamportClock } from "../protocol/lamport-clock.ts";
import { durations } from "../protocol/limits.ts";
import { parseHeartbeatReply } from "../protocol/parse-reference.ts";
import type { HeartbeatReply } from "../protocol/reference-messages.ts";
import type { ClockFile } from "../storage/clock-file.ts";
import { fetchSnapshot, type Place } from "../storage/fetch-snapshot.ts";
import type { Slot } from "../storage/slot-lock.ts";
import type { Store } from "../storage/store.ts";
import type { Bus } from "./bus.ts";
import type { ClientWire } from "./client-wire.ts";
import type { ServerConfig } from "./config.ts";
import type { ServerCore } from "./core/step.ts";
import type { PeerLinks } from "./peer-links.ts";
import type { PeerWire } from "./peer-wire.ts";
import type {
  Clients,
  Peers,
  Reference,
  ReplicaStore,
  Snapshots,
  Surroundings,
  Timers,
} from "./surroundings.ts";

/** The parts of a server that exist before its peer link is bound. */
export interface Server extends Running {
  readonly name: ServerName;
  /** The address at which the other servers reach the peer link. */
  readonly address: string;
  /** The endpoint of the server's metrics, if it has one. */
  readonly metrics: string | undefined;
  /** Resolves when the server first accepts clients' requests. */
  readonly firstServing: Promise<void>;
}

export interface Foundation {
  readonly config: ServerConfig;
  readonly clock: LamportClock;
  readonly clockFile: ClockFile;
  readonly membership: Membership;
  readonly link: ReferenceLink;
  readonly slot: Slot;
  readonly name: ServerName;
  readonly log: Log;
  /** For lines about single requests of clients, and about single messages of peers (O18). */
  readonly requestLogs: Readonly<Record<"clients" | "peers", RequestLog>>;
}

export interface Wires {
  readonly responder: Responder;
  readonly peerWire: PeerWire;
  readonly bus: Bus;
  readonly clients: ClientWire;
  readonly peers: PeerLinks;
}

export interface RealParts extends Foundation, Wires {
  /** The address at which the other servers reach the peer link. */
  readonly address: string;
  readonly disk: Store;
  newCore(): ServerCore;
  /** Called when the server enters the rotation. */
  onServing(): void;
}

/**
 * Returns the real surroundings of a shell: sockets, files and timers. When an operation of a
 * socket or file has ended, the surroundings call the shell's callback.
 */
export function realSurroundings(parts: RealParts): Surroundings {
  const { bus, clients, link, log, peers, responder } = parts;
  const passwords = new PasswordThread();
  const close = async () => {
    await bus.close();
    await responder.close();
    peers.close();
    await passwords.close();
    link.close();
  };
  return {
    timers,
    bus,
    store: storeOf({ ...parts, folder: parts.slot.folder }),
    snapshots: snapshotsOf(parts),
    clients: clientsOf(parts),
    peers: peersOf(parts),
    reference: referenceOf(parts),
    work(work, onResult) {
      passwords.work(work).then(onResult, (error: Error) => {
        log.error(`A password could not be worked on: ${error.message}`);
        onResult(undefined);
      });
    },
    log({ level, fields = {}, text }) {
      log[level](fields, text);
    },
    crash,
    open() {
      clients.start();
      responder.start();
    },
    close(onClosed) {
      void close().then(onClosed);
    },
  };
}

const timers: Timers = {
  now,
  after(ms, run) {
    const timer = setTimeout(run, ms).unref();
    return () => clearTimeout(timer);
  },
};

type PeerParts = Pick<RealParts, "bus" | "peers" | "peerWire">;

export interface StoreParts {
  readonly disk: Store;
  readonly folder: string;
  newCore(): ServerCore;
}

export function storeOf({ disk, folder, newCore }: StoreParts): ReplicaStore {
  const promisesFailed = ({ message }: Error) =>
    crash(`${folder}/promises.json can't be written (${message}).`);
  return {
    append: (lines) => disk.append(lines),
    isMissing: (lines) => disk.isMissing(lines),
    get isDamaged() {
      return disk.isDamaged;
    },
    get way() {
      return disk.way;
    },
    checkpointIfDue: (core) => disk.checkpointIfDue(core),
    saveView: (view, onSaved) => void disk.saveView(view).then(onSaved, promisesFailed),
    savePromise: (ballot, onSaved) => void disk.savePromise(ballot).then(onSaved, promisesFailed),
    repaired: () => void disk.repaired().catch(promisesFailed),
    reload: (onLoaded) =>
      void disk.reload(newCore).then(onLoaded, ({ message }: Error) => crash(message)),
    close: (core, onClosed) => void disk.close(core).then(onClosed),
  };
}

function snapshotsOf({ clock, disk, peers, slot }: RealParts): Snapshots {
  const stopped = new AbortController();
  return {
    fetch({ peer, address }, { onPage, onDone, onFailed }) {
      const ask = async (place: Place) => {
        const request = { service: "snapshot", clock: clock.tick(), ...place } as const;
        const page = await peers.snapshot(peer, address, request);
        clock.receive(page.clock);
        onPage();
        return page;
      };
      const fetched = disk
        .readyForState()
        .then(() => fetchSnapshot(slot.folder, ask, stopped.signal));
      fetched.then(onDone, ({ message }: Error) => onFailed(message));
    },
    stop: () => stopped.abort(),
  };
}

function clientsOf({ clients, onServing }: RealParts): Clients {
  return {
    reply: (effect) => clients.reply(effect),
    rotate(joined) {
      clients.rotate(joined);
      if (joined) onServing();
    },
    close: (onClosed) => void clients.close().then(onClosed),
  };
}

export function peersOf({ bus, peers, peerWire }: PeerParts): Peers {
  return {
    acknowledge: ({ peer, address, summary }) => {
      const isSent = peers.tell(peer, address, { service: "ack", ...summary });
      if (!isSent) bus.broadcast({ ...summary, type: "ack" });
    },
    askSync: ({ peer, address, request }, onAnswer) =>
      answered(peers.sync(peer, address, request), onAnswer),
    // A late or malformed answer is passed on as undefined. If the core needs the answer, it asks
    // again.
    askCoordination: (effect, onAnswer) =>
      answered(peers.coordinate(effect.peer, effect.address, effect), onAnswer),
    answer: (effect) => peerWire.answer(effect),
    answerSync: (effect) => peerWire.answerSync(effect),
    watch: ({ peer, address }, onLost) => peers.watch(peer, address, onLost),
    keep: (isKnown) => peers.keep(isKnown),
  };
}

function answered<T>(asked: Promise<T>, onAnswer: (answer: T | undefined) => void): void {
  asked.then(onAnswer, () => onAnswer(undefined));
}

/** Clients would find two clusters behind one broker. */
const besideEngine =
  "This server has no --engine, but other servers of its cluster have one: start it with theirs";

function referenceOf({ link, name: user, address, log }: RealParts): Reference {
  let isBeside = false;
  const warn = ({ list }: HeartbeatReply) => {
    const wasBeside = isBeside;
    isBeside = list.some(({ hasEngine }) => hasEngine);
    if (isBeside && !wasBeside) log.error(besideEngine);
  };
  return {
    rank(onRank) {
      const asked = link.ask("rank", { user, address });
      answered(asked, (fields) => onRank(fields?.rank));
    },
    heartbeat({ report }, onReply) {
      const data = { ...report, pid: processId };
      const asked = link.ask("heartbeat", data, durations.viewAnswerMs).then(parseHeartbeatReply);
      // An error is ignored: while the reference is down, the cluster keeps its present view.
      asked.then(
        (reply) => {
          warn(reply);
          onReply(reply);
        },
        () => {},
      );
    },
    leave(onLeft) {
      // An error means that this server may not leave yet, or that the reference is down. The core
      // asks again.
      link.ask("leave", { user }).then(onLeft, () => {});
    },
  };
}

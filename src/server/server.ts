import { join } from "node:path";
import { Publisher } from "../net/publisher.ts";
import { ReferenceLink } from "../net/reference-link.ts";
import { type Envelope, Responder } from "../net/responder.ts";
import { advertised } from "../net/socket.ts";
import { Subscriber } from "../net/subscriber.ts";
import { now, pause } from "../platform/clock.ts";
import { digest } from "../platform/digest.ts";
import { processId } from "../platform/host.ts";
import { type Log, LogBudget, openLog } from "../platform/log.ts";
import { crash, type Running } from "../platform/run-process.ts";
import { encode, type Format } from "../protocol/codec.ts";
import type { ServerName } from "../protocol/ids.ts";
import { LamportClock } from "../protocol/lamport-clock.ts";
import { durations, limits } from "../protocol/limits.ts";
import type { Incoming, PeerRequest, ReplicationMessage, View } from "../protocol/messages.ts";
import { parsePayload } from "../protocol/parse-message.ts";
import {
  PeerMessageError,
  parsePeerRequest,
  parseReplication,
  writeLines,
} from "../protocol/parse-peer.ts";
import { parseHeartbeatReply } from "../protocol/parse-reference.ts";
import { replicationTopic } from "../protocol/topics.ts";
import { writeCheckpoint } from "../storage/checkpoint.ts";
import { Journal } from "../storage/journal.ts";
import type { Slot } from "../storage/slot-lock.ts";
import { chooseSlot } from "./choose-slot.ts";
import type { ServerConfig } from "./config.ts";
import type { Effect, Input } from "./core/effects.ts";
import { ServerCore } from "./core/step.ts";
import { nameOf, readPromises, writePromises } from "./identity.ts";
import { PeerLinks } from "./peer-links.ts";

export interface Server extends Running {
  readonly name: ServerName;
  /** The peer link, as others reach it. */
  readonly address: string;
  /** Resolves when the server first takes clients' requests. */
  readonly firstServing: Promise<void>;
}

/** Lines a second about single requests; the rest is counted. */
const requestLines = 50;

/** One replica: the shell that gives the core its sockets, files and time. */
export async function startServer(config: ServerConfig): Promise<Server> {
  const clock = new LamportClock();
  const link = new ReferenceLink(config.reference, clock);
  const slot = await chooseSlot(config.slots, link);
  const name = await nameOf(slot.folder);
  const log = openLog({
    level: config.logLevel,
    role: "server",
    name: () => name,
    clock: () => clock.value,
  });
  const shell = new Shell({ config, clock, link, slot, name, log });
  await shell.start();
  return {
    name,
    address: shell.address,
    firstServing: shell.firstServing,
    [Symbol.asyncDispose]: () => shell.stop(),
  };
}

interface Parts {
  readonly config: ServerConfig;
  readonly clock: LamportClock;
  readonly link: ReferenceLink;
  readonly slot: Slot;
  readonly name: ServerName;
  readonly log: Log;
}

interface ClientReply {
  readonly envelope: Envelope;
  readonly format: Format;
}

class Shell {
  address = "";
  readonly firstServing: Promise<void>;
  readonly #parts: Parts;
  readonly #log: Log;
  readonly #folder: string;
  readonly #clients: Responder;
  readonly #peerLink: Responder;
  readonly #peers = new PeerLinks();
  readonly #budget = new LogBudget(requestLines);
  #core!: ServerCore;
  #journal!: Journal;
  #publisher!: Publisher;
  #subscriber!: Subscriber;
  #ticker: NodeJS.Timeout | undefined;
  #onFirstServing: () => void = () => {};
  #onStopped: () => void = () => {};
  #savedViews = Promise.resolve();
  #disconnecting: Promise<void>[] = [];
  /** The newest question of each peer that is still to be answered. */
  readonly #syncs = new Map<ServerName, Effect & { type: "answerSync" }>();
  #answeringSyncs = false;
  #checkpointed = 0;
  #checkpointing: Promise<void> | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#log = parts.log;
    this.#folder = parts.slot.folder;
    this.firstServing = new Promise((resolve) => {
      this.#onFirstServing = resolve;
    });
    this.#clients = new Responder((to, payload) => this.#onClient(to, payload));
    this.#peerLink = new Responder((to, payload) => this.#onPeer(to, payload));
  }

  async start(): Promise<void> {
    const { config, clock, name } = this.#parts;
    const bound = await this.#peerLink.bind(config.bind);
    this.address = advertised(bound, config.advertiseHost);
    this.#core = new ServerCore({ name, clock, digest, address: this.address });
    const view = await readPromises(this.#folder);
    this.#core.recoverView(view);
    if (view.number > 0) await this.#tellView(view);
    this.#openJournal();
    this.#publisher = new Publisher(config.proxiesIn, (topic, active) =>
      this.#dispatch({ type: "subscription", topic, active }),
    );
    this.#subscriber = new Subscriber(config.proxies, (topic, payload) => {
      if (topic === replicationTopic) this.#onReplication(payload);
    });
    this.#subscriber.subscribe(replicationTopic);
    this.#ticker = setInterval(() => this.#dispatch({ type: "tick" }), durations.tickMs);
    this.#dispatch({ type: "recovered" });
    // Only now is there something to answer with.
    this.#clients.start();
    this.#peerLink.start();
    void this.#askRank();
    this.#log.info({ folder: this.#folder, address: this.address }, "Started");
  }

  /** A long journal takes its time: a reference that lost its file must know of the view before. */
  async #tellView(view: View): Promise<void> {
    const { link, name } = this.#parts;
    try {
      await link.ask("heartbeat", { user: name, role: "server", view }, durations.pollMs);
    } catch {
      // It is down: it can make no view either until it is told by those who are up.
    }
  }

  #openJournal(): void {
    const { clock } = this.#parts;
    const started = now().steadyMs;
    const { journal, recovered } = Journal.open(
      {
        folder: join(this.#folder, "journal"),
        digest,
        clock: () => clock.value,
        onFlushed: (count) => {
          this.#dispatch({ type: "flushed", count });
          this.#checkpointIfGrown();
        },
        onFailed: crash,
      },
      (line) => this.#core.recoverEvent(line),
    );
    clock.receive(recovered.clock);
    this.#journal = journal;
    this.#checkpointed = journal.bytes;
    const { events, cutBytes } = recovered;
    const ms = Math.round(now().steadyMs - started);
    this.#log.info({ events, ms }, "Read the journal");
    if (cutBytes > 0) this.#log.warn({ cutBytes }, "Cut off a torn tail that was never synced");
  }

  async #askRank(): Promise<void> {
    const { link, name } = this.#parts;
    for (;;) {
      try {
        const { rank } = await link.ask("rank", { user: name, address: this.address });
        this.#log.info({ rank }, "Has a rank");
        return;
      } catch {
        if (this.#ticker === undefined) return;
        await pause(durations.heartbeatMs);
      }
    }
  }

  /** Drains, settles with the peers, leaves the view if told to, writes the files (R11). */
  async stop(): Promise<void> {
    const { link, slot, config } = this.#parts;
    const stopped = new Promise<void>((resolve) => {
      this.#onStopped = resolve;
    });
    this.#dispatch({ type: "stop", leave: config.leaveOnStop });
    await stopped;
    await Promise.all(this.#disconnecting);
    clearInterval(this.#ticker);
    this.#ticker = undefined;
    this.#subscriber.close();
    await this.#clients.close();
    await this.#publisher.close();
    await this.#peerLink.close();
    this.#peers.close();
    link.close();
    await this.#savedViews;
    await this.#journal.close();
    await this.#checkpointing;
    await this.#checkpoint();
    slot[Symbol.dispose]();
    this.#log.info("Stopped");
  }

  // ---- in ---------------------------------------------------------------------------------------

  #dispatch(input: Input): void {
    for (const effect of this.#core.step(input, now())) this.#perform(effect);
  }

  #onClient(envelope: Envelope, bytes: Buffer): void {
    const { format, batch, requests } = parsePayload(bytes);
    for (const request of requests) this.#logRequest(request);
    const to: ClientReply = { envelope, format };
    this.#dispatch({ type: "requests", to, batch, requests });
  }

  #logRequest(request: Incoming): void {
    if (!this.#log.isLevelEnabled("info")) return;
    const skipped = this.#budget.spend(now().steadyMs);
    if (skipped === undefined) return;
    if (skipped > 0) this.#log.info({ skipped }, `Recebido: … (${skipped} more)`);
    this.#log.info(`Recebido: ${request.service}`);
  }

  #onPeer(envelope: Envelope, payload: Buffer): void {
    let request: PeerRequest;
    try {
      request = parsePeerRequest(payload);
    } catch (error) {
      return this.#dropPeerMessage(error);
    }
    if (request.service === "health") return this.#answerHealth(envelope, request.clock);
    this.#dispatch({ type: "syncRequest", to: envelope, request });
  }

  #onReplication(payload: Buffer): void {
    let message: ReplicationMessage;
    try {
      message = parseReplication(payload);
    } catch (error) {
      return this.#dropPeerMessage(error);
    }
    this.#dispatch({ type: "replication", message });
  }

  #dropPeerMessage(error: unknown): void {
    if (!(error instanceof PeerMessageError)) throw error;
    if (this.#budget.spend(now().steadyMs) === undefined) return;
    this.#log.warn(`A peer's message was dropped: ${error.message}`);
  }

  #answerHealth(envelope: Envelope, asked: number): void {
    const { clock, name } = this.#parts;
    clock.receiveFromAnyone(asked);
    const ready = this.#core.isServing;
    const reason = ready ? undefined : `its phase is ${this.#core.catchUp.phase}`;
    const data = { status: "OK", name, role: "server", ready, reason, clock: clock.tick() };
    this.#peerLink.reply(envelope, encode({ service: "health", data }));
  }

  // ---- out --------------------------------------------------------------------------------------

  #perform(effect: Effect): void {
    switch (effect.type) {
      case "append":
        return this.#journal.append(effect.lines);
      case "saveView":
        // One after the other: an older view must not come to lie over a newer one.
        this.#savedViews = this.#savedViews.then(() => this.#saveView(effect));
        return;
      case "reply": {
        const { envelope, format } = effect.to as ClientReply;
        return this.#clients.reply(envelope, encodeReplies(effect, format));
      }
      case "broadcast":
        return this.#publisher.publish(replicationTopic, encodeReplication(effect.message));
      case "publish":
        return this.#publisher.publish(effect.topic, encode(effect.payload));
      case "askSync":
        void this.#askSync(effect);
        return;
      case "answerSync":
        this.#syncs.set(effect.from, effect);
        void this.#answerSyncs();
        return;
      case "heartbeat":
        void this.#heartbeat(effect);
        return;
      case "leave":
        void this.#leave();
        return;
      case "rotation":
        return this.#rotate(effect.joined);
      case "stopped":
        return this.#onStopped();
      case "fetchSnapshot":
      case "repaired":
        return;
      case "log":
        this.#log[effect.level](effect.fields ?? {}, effect.text);
        return;
      default:
        effect satisfies never;
    }
  }

  async #saveView({ view }: Effect & { type: "saveView" }): Promise<void> {
    try {
      await writePromises(this.#folder, view);
    } catch (error) {
      crash(`${this.#folder}/promises.json can't be written (${(error as Error).message}).`);
    }
    this.#dispatch({ type: "viewSaved", number: view.number });
  }

  async #askSync({ peer, address, request }: Effect & { type: "askSync" }): Promise<void> {
    try {
      const answer = await this.#peers.sync(peer, address, request);
      this.#dispatch({ type: "syncAnswer", from: peer, answer });
    } catch {
      this.#dispatch({ type: "syncFailed", from: peer });
    }
  }

  /** One after the other: a peer that asks more often than it reads costs nobody else. */
  async #answerSyncs(): Promise<void> {
    if (this.#answeringSyncs) return;
    this.#answeringSyncs = true;
    for (const [asker, { to, standing, since }] of this.#syncs) {
      this.#syncs.delete(asker);
      try {
        const { lines, more } = await this.#journal.read(since, standing.durable);
        const data = { ...standing, events: writeLines(lines), more };
        this.#peerLink.reply(to as Envelope, encode({ service: "sync", data }));
      } catch (error) {
        this.#log.error(`The journal can't be read for ${asker}: ${(error as Error).message}`);
      }
    }
    this.#answeringSyncs = false;
  }

  async #heartbeat({ report }: Effect & { type: "heartbeat" }): Promise<void> {
    this.#peers.keep((name) => this.#core.replication.peers.has(name));
    try {
      const fields = await this.#parts.link.ask("heartbeat", {
        ...report,
        pid: processId,
      });
      const reply = parseHeartbeatReply(fields);
      this.#dispatch({ type: "referenceReply", reply });
    } catch {
      // The cluster goes on with the members it knows while the reference is down.
    }
  }

  async #leave(): Promise<void> {
    try {
      await this.#parts.link.ask("leave", { user: this.#parts.name });
      this.#dispatch({ type: "left" });
    } catch {
      // Not yet, or the reference is down: the core asks again.
    }
  }

  #rotate(joined: boolean): void {
    this.#disconnecting = [];
    for (const broker of this.#parts.config.brokers) {
      if (joined) this.#clients.connect(broker);
      else this.#disconnecting.push(this.#clients.disconnect(broker));
    }
    if (joined) this.#onFirstServing();
  }

  // ---- files ------------------------------------------------------------------------------------

  async #checkpoint(): Promise<void> {
    const { files, mark } = this.#core.checkpoint();
    this.#checkpointed = this.#journal.bytes;
    await writeCheckpoint(this.#folder, files, mark);
  }

  /** Writes the files again when the journal has grown by 64 MiB (J1). */
  #checkpointIfGrown(): void {
    if (this.#checkpointing !== undefined) return;
    if (this.#journal.bytes - this.#checkpointed < limits.checkpointBytes) return;
    this.#checkpointing = this.#checkpoint()
      .catch((error: Error) => crash(`${this.#folder} can't be written (${error.message}).`))
      .finally(() => {
        this.#checkpointing = undefined;
      });
  }
}

/** What is too large for a frame would cost the connection to the broker: an error goes instead. */
function encodeReplies({ batch, replies }: Effect & { type: "reply" }, format: Format): Uint8Array {
  const bytes = encode(batch ? replies : replies[0], format);
  if (bytes.byteLength <= limits.frameBytes) return bytes;
  const description = `The reply is above ${limits.frameBytes} bytes: ask for less at once.`;
  const refusals = replies.map(({ service, data: { id, server, clock, timestamp } }) => {
    const error = { status: "erro", code: "too_large", description, retry: false };
    return { service, data: { ...error, id, server, clock, timestamp } };
  });
  return encode(batch ? refusals : refusals[0], format);
}

function encodeReplication(message: ReplicationMessage): Uint8Array {
  if (message.type !== "events") return encode(message);
  const { lines, ...rest } = message;
  return encode({ ...rest, events: writeLines(lines) });
}

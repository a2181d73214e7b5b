import { BrokeredResponder } from "../net/brokered-responder.ts";
import type { Envelope } from "../net/envelope.ts";
import { Membership } from "../net/membership.ts";
import { Publisher } from "../net/publisher.ts";
import type { ReferenceLink } from "../net/reference-link.ts";
import { Responder } from "../net/responder.ts";
import type { Question, Seals } from "../net/seal.ts";
import { Sessions } from "../net/sessions.ts";
import { advertised } from "../net/socket.ts";
import { Subscriber } from "../net/subscriber.ts";
import { now, pause } from "../platform/clock.ts";
import { memberKey } from "../platform/curve.ts";
import { digest } from "../platform/digest.ts";
import { processId } from "../platform/host.ts";
import { type Log, openLog, RequestLog } from "../platform/log.ts";
import { PasswordThread } from "../platform/password-thread.ts";
import { randomHex } from "../platform/random.ts";
import { crash, type Running } from "../platform/run-process.ts";
import type { Grant, Incoming } from "../protocol/client-messages.ts";
import { encode, type Format } from "../protocol/codec.ts";
import { PeerMessageError } from "../protocol/errors.ts";
import type { ServerName } from "../protocol/ids.ts";
import { LamportClock } from "../protocol/lamport-clock.ts";
import { durations, limits, tagBytes } from "../protocol/limits.ts";
import { parsePayload } from "../protocol/parse-message.ts";
import { parsePeerRequest, parseReplication, writeLines } from "../protocol/parse-peer.ts";
import { parseHeartbeatReply } from "../protocol/parse-reference.ts";
import type {
  OfficeAnswer,
  PeerRequest,
  ReplicationMessage,
  SnapshotRequest,
} from "../protocol/peer-messages.ts";
import type { TopicKey } from "../protocol/sealed.ts";
import { replicationTopic, serversTopic } from "../protocol/topics.ts";
import type { View } from "../protocol/view.ts";
import { ClockFile } from "../storage/clock-file.ts";
import type { Slot } from "../storage/slot-lock.ts";
import { chooseSlot } from "./choose-slot.ts";
import type { ServerConfig } from "./config.ts";
import type { Effect, Input } from "./core/effects.ts";
import { ServerCore } from "./core/step.ts";
import { fetchSnapshot, type Place } from "./fetch-snapshot.ts";
import { nameOf } from "./identity.ts";
import { PeerLinks } from "./peer-links.ts";
import { RepairWatch } from "./repair-watch.ts";
import { ReplicaDisk } from "./replica-disk.ts";
import { TopicKeys } from "./topic-keys.ts";

export interface Server extends Running {
  readonly name: ServerName;
  /** The peer link, as others reach it. */
  readonly address: string;
  /** Resolves when the server first takes clients' requests. */
  readonly firstServing: Promise<void>;
}

/** `health` has less. */
const healthBytes = 256;

/** One replica: the shell that gives the core its sockets, files and time. */
export async function startServer(config: ServerConfig): Promise<Server> {
  const { secret, keys } = config;
  const clock = new LamportClock();
  // Until it has a folder it has no name: any will do to ask for the members, but no other's.
  let self = `start_${randomHex(4)}`;
  const log = openLog({
    level: config.logLevel,
    role: "server",
    name: () => self,
    clock: () => clock.value,
  });
  const membership = new Membership({ secret, keys, self: () => self, clock, log });
  const link = membership.referenceLink(config.reference);
  const slot = await chooseSlot(config.slots, link);
  const name = await nameOf(slot.folder);
  self = name;
  const clockFile = await ClockFile.open(slot.folder, clock, crash);
  const parts = { config, clock, clockFile, membership, link, slot, name, log };
  const shell = new Shell(parts);
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
  readonly clockFile: ClockFile;
  readonly membership: Membership;
  readonly link: ReferenceLink;
  readonly slot: Slot;
  readonly name: ServerName;
  readonly log: Log;
}

/** Where the answer to a peer goes: its question is sealed, but for `health`. */
interface PeerReply {
  readonly envelope: Envelope;
  readonly question: Question | undefined;
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
  readonly #clients: BrokeredResponder;
  readonly #peerLink: Responder;
  readonly #peers: PeerLinks;
  readonly #requestLog: RequestLog;
  readonly #disk: ReplicaDisk;
  readonly #repair = new RepairWatch(() => {
    if (this.#disk.isDamaged) crash(this.#disk.way);
  });
  readonly #newCore: () => ServerCore;
  /** None while a saved state is being taken up. */
  #core: ServerCore | undefined;
  /** Topics that are subscribed to; a new core has to know them too. */
  readonly #topics = new Set<string>();
  readonly #fetching = new AbortController();
  #isStopping = false;
  /** There once the clock is what it was: they take nothing below it. */
  #replicationSeals!: Seals;
  #peerSeals!: Seals;
  readonly #passwords = new PasswordThread();
  readonly #sessions: Sessions;
  /** Replies whose tokens are being signed. */
  readonly #signing = new Set<Promise<void>>();
  readonly #topicKeys: TopicKeys;
  #publisher!: Publisher;
  #subscriber!: Subscriber;
  #ticker: NodeJS.Timeout | undefined;
  #onFirstServing: () => void = () => {};
  #onStopped: () => void = () => {};
  #disconnecting: Promise<void>[] = [];
  /** The newest question of each peer that is still to be answered. */
  readonly #syncs = new Map<ServerName, Effect & { type: "answerSync" }>();
  #answeringSyncs = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#log = parts.log;
    this.#requestLog = new RequestLog(parts.log);
    this.#folder = parts.slot.folder;
    this.firstServing = new Promise((resolve) => {
      this.#onFirstServing = resolve;
    });
    const { clock, name, log, config, membership } = parts;
    const { retention, auth, flood, secret, keys } = config;
    const refused = membership.refusals.counts;
    this.#sessions = new Sessions(secret.deriveKey("token"));
    this.#topicKeys = new TopicKeys(secret);
    const topicKey = (of: TopicKey) => this.#topicKeys.key(of).toString("base64url");
    const { publisher } = this.#topicKeys;
    this.#newCore = () => {
      const { address } = this;
      const policy = { retention, auth, flood, topicKey, publisher };
      return new ServerCore({ name, clock, digest, address, refused, ...policy });
    };
    this.#disk = new ReplicaDisk({
      folder: this.#folder,
      checkpointBytes: config.checkpointBytes,
      clock,
      log,
      onFlushed: (count) => this.#onFlushed(count),
      onFailed: crash,
    });
    this.#peers = new PeerLinks(() => this.#peerSeals, memberKey(secret, keys));
    this.#clients = new BrokeredResponder((to, payload) => this.#onClient(to, payload));
    this.#peerLink = new Responder((to, payload, seal) => this.#onPeer(to, payload, seal), {
      takesSeals: true,
    });
  }

  async start(): Promise<void> {
    const { config, membership } = this.#parts;
    const bound = await this.#peerLink.bind(config.bind, membership.forMembers());
    this.address = advertised(bound, config.advertiseHost);
    const view = await this.#disk.readView();
    if (view.number > 0) await this.#tellView(view);
    const core = await this.#disk.load(this.#newCore);
    this.#replicationSeals = membership.seals("replication");
    this.#peerSeals = membership.seals("peer");
    const onSubscription = (topic: string, active: boolean) => {
      if (active) this.#topics.add(topic);
      else this.#topics.delete(topic);
      this.#dispatch({ type: "subscription", topic, active });
    };
    this.#publisher = new Publisher(config.proxiesIn, onSubscription);
    this.#subscriber = new Subscriber(config.proxies, (topic, payload, seal) => {
      if (topic === replicationTopic) this.#onReplication(payload, seal);
    });
    this.#subscriber.subscribe(replicationTopic);
    this.#ticker = setInterval(() => this.#dispatch({ type: "tick" }), durations.tickMs);
    this.#run(core);
    // Only now is there something to answer with.
    this.#clients.start();
    this.#peerLink.start();
    void this.#askRank();
    const { address } = this;
    this.#log.info({ event: "started", folder: this.#folder, address }, "Started");
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

  /** Begins, or begins anew, with what is on disk. */
  #run(core: ServerCore): void {
    this.#core = core;
    this.#dispatch({ type: "recovered" });
    for (const topic of this.#topics) this.#dispatch({ type: "subscription", topic, active: true });
    if (this.#isStopping) this.#dispatchStop();
    this.#disk.checkpointIfDue(core);
    if (this.#disk.isDamaged) this.#repair.progress();
  }

  #onFlushed(count: number): void {
    this.#dispatch({ type: "flushed", count });
    if (this.#core !== undefined) this.#disk.checkpointIfDue(this.#core);
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
    const { clockFile, link, slot } = this.#parts;
    const stopped = new Promise<void>((resolve) => {
      this.#onStopped = resolve;
    });
    this.#isStopping = true;
    this.#fetching.abort();
    this.#dispatchStop();
    await stopped;
    await Promise.all(this.#disconnecting);
    clearInterval(this.#ticker);
    this.#ticker = undefined;
    this.#subscriber.close();
    await Promise.all(this.#signing);
    await this.#clients.close();
    await this.#publisher.close();
    await this.#peerLink.close();
    this.#peers.close();
    await this.#passwords.close();
    link.close();
    this.#repair.end();
    await this.#disk.close(this.#core);
    await clockFile[Symbol.asyncDispose]();
    slot[Symbol.dispose]();
    this.#log.info("Stopped");
  }

  #dispatchStop(): void {
    this.#dispatch({ type: "stop", leave: this.#parts.config.leaveOnStop });
  }

  // ---- in ---------------------------------------------------------------------------------------

  #dispatch(input: Input): void {
    // Between two cores nobody is served; who asks will ask again.
    if (this.#core === undefined) return;
    for (const effect of this.#core.step(input, now())) this.#perform(effect);
  }

  #onClient(envelope: Envelope, bytes: Buffer): void {
    const { format, batch, requests } = parsePayload(bytes);
    for (const { service } of requests) this.#requestLog.write("info", `Recebido: ${service}`);
    const to: ClientReply = { envelope, format };
    const connection = connectionOf(envelope);
    const input = { type: "requests", to, batch, connection } as const;
    if (this.#parts.config.auth === "open") return this.#dispatch({ ...input, requests });
    void this.#proven(requests).then((proven) => this.#dispatch({ ...input, requests: proven }));
  }

  /** With whoever is logged in by each token. */
  #proven(requests: readonly Incoming[]): Promise<Incoming[]> {
    return Promise.all(
      requests.map(async (request) => {
        if (!("token" in request) || request.token === undefined) return request;
        return { ...request, session: await this.#sessions.check(request.token) };
      }),
    );
  }

  #onPeer(envelope: Envelope, payload: Buffer, seal: Buffer | undefined): void {
    const question = seal && this.#peerSeals.takeQuestion(payload, seal);
    if (seal !== undefined && question === undefined) return;
    const to: PeerReply = { envelope, question };
    if (question?.isNew === false) return this.#answerPeer(to, Buffer.alloc(0));
    // Nobody's is worth reading only if it can be `health`.
    if (question === undefined && payload.length > healthBytes) return this.#dropGuest();
    let request: PeerRequest;
    try {
      request = parsePeerRequest(payload);
      assertSender("server" in request ? request.server : question?.sender, question?.sender);
    } catch (error) {
      return this.#dropPeerMessage(error);
    }
    if (request.service === "health") return this.#answerHealth(to);
    if (question === undefined) return this.#dropGuest();
    switch (request.service) {
      case "snapshot":
        void this.#answerSnapshot(to, request);
        return;
      case "sync":
        return this.#dispatch({ type: "syncRequest", to, request });
      default:
        this.#dispatch({ type: "officeRequest", to, request });
    }
  }

  #dropGuest(): void {
    this.#parts.membership.refusals.forged(undefined, false);
  }

  #onReplication(sent: Buffer, seal: Buffer | undefined): void {
    const sender = this.#replicationSeals.hear(replicationTopic, sent, seal);
    if (sender === undefined) return;
    const isOpen = this.#parts.config.auth === "open";
    const payload = isOpen ? sent : this.#topicKeys.openReplication(sent);
    if (payload === undefined) {
      return this.#dropPeerMessage(new PeerMessageError("its server runs with another --auth"));
    }
    let message: ReplicationMessage;
    try {
      message = parseReplication(payload);
      assertSender(message.server, sender);
    } catch (error) {
      return this.#dropPeerMessage(error);
    }
    this.#dispatch({ type: "replication", message });
  }

  #dropPeerMessage(error: unknown): void {
    if (!(error instanceof PeerMessageError)) throw error;
    this.#requestLog.write("warn", `A peer's message was dropped: ${error.message}`);
  }

  /** Anybody may ask: nothing changes by it, not even the clock. */
  #answerHealth(to: PeerReply): void {
    const { clock, name } = this.#parts;
    const ready = this.#core?.isServing === true;
    const reason = ready ? undefined : `its phase is ${this.#core?.catchUp.phase ?? "backfill"}`;
    const data = { status: "OK", name, role: "server", ready, reason, clock: clock.value };
    this.#answerPeer(to, encode({ service: "health", data }));
  }

  // ---- out --------------------------------------------------------------------------------------

  #perform(effect: Effect): void {
    switch (effect.type) {
      case "append":
        if (this.#disk.isOwed(effect.lines)) this.#repair.progress();
        return this.#disk.append(effect.lines);
      case "saveView":
        void this.#saveView(effect);
        return;
      case "reply":
        if (effect.replies.some(({ data }) => data.grant !== undefined))
          this.#signThenReply(effect);
        else this.#reply(effect);
        return;
      case "broadcast":
        return this.#publish(replicationTopic, this.#encodeReplication(effect.message));
      case "publish":
        return this.#publish(effect.topic, this.#encodePublication(effect));
      case "askSync":
        void this.#askSync(effect);
        return;
      case "askPeer":
        void this.#askPeer(effect);
        return;
      case "answerPeer": {
        const { service, ...data } = effect.answer;
        return this.#answerPeer(effect.to as PeerReply, encode({ service, data }));
      }
      case "watchPeer": {
        const { peer, address } = effect;
        const onLost = () => this.#dispatch({ type: "peerLost", from: peer });
        return this.#peers.watch(peer, address, onLost);
      }
      case "savePromise":
        void this.#savePromise(effect);
        return;
      case "password":
        void this.#work(effect);
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
        void this.#fetchSnapshot(effect);
        return;
      case "repaired":
        this.#repair.end();
        void this.#disk.repaired().catch((error) => this.#promisesFailed(error));
        return;
      case "log":
        this.#log[effect.level](effect.fields ?? {}, effect.text);
        return;
      default:
        effect satisfies never;
    }
  }

  /** Messages among members have a seal (X1); the other topics are for any listener (P1, P6). */
  #publish(topic: string, payload: Uint8Array): void {
    const seal =
      topic === replicationTopic ? this.#replicationSeals.seal(topic, payload) : undefined;
    this.#publisher.publish(topic, payload, seal);
  }

  #answerPeer({ envelope, question }: PeerReply, payload: Uint8Array): void {
    const seal = question && this.#peerSeals.sealAnswer(question, payload);
    this.#peerLink.reply(envelope, payload, seal);
  }

  #reply(effect: Effect & { type: "reply" }): void {
    const { envelope, format } = effect.to as ClientReply;
    this.#clients.reply(envelope, encodeReplies(effect, format));
  }

  /** A stop waits for it: what was taken in is answered (R11). */
  #signThenReply(effect: Effect & { type: "reply" }): void {
    const signing = this.#sign(effect).finally(() => this.#signing.delete(signing));
    this.#signing.add(signing);
  }

  /** Puts a token in place of each that was granted. */
  async #sign(effect: Effect & { type: "reply" }): Promise<void> {
    for (const { data } of effect.replies) {
      const { grant } = data as { grant?: Grant };
      if (grant === undefined) continue;
      delete data.grant;
      data.token = await this.#sessions.give(grant, Date.parse(data.timestamp));
    }
    this.#reply(effect);
  }

  #encodeReplication(message: ReplicationMessage): Uint8Array {
    const plain = encodeReplication(message);
    // Where accounts are, nothing of the chat goes over a proxy in clear (X5).
    if (this.#parts.config.auth === "open") return plain;
    return this.#topicKeys.sealReplication(plain, this.#correctedMs());
  }

  #encodePublication({ topic, payload, version = "" }: Effect & { type: "publish" }): Uint8Array {
    const plain = encode(payload);
    // Who leads is nobody's secret, and foreign listeners know the form of it (P6).
    if (this.#parts.config.auth === "open" || topic === serversTopic) return plain;
    return this.#topicKeys.sealPublication({ topic, version, plain }, this.#correctedMs());
  }

  #correctedMs(): number {
    return this.#core?.clockSync.correctedMs(now()) ?? now().wallMs;
  }

  async #saveView({ view }: Effect & { type: "saveView" }): Promise<void> {
    try {
      await this.#disk.saveView(view);
    } catch (error) {
      this.#promisesFailed(error as Error);
    }
    this.#dispatch({ type: "viewSaved", number: view.number });
  }

  async #savePromise({ ballot }: Effect & { type: "savePromise" }): Promise<void> {
    try {
      await this.#disk.savePromise(ballot);
    } catch (error) {
      this.#promisesFailed(error as Error);
    }
    this.#dispatch({ type: "promiseSaved", ballot });
  }

  async #askPeer(effect: Effect & { type: "askPeer" }): Promise<void> {
    const { peer: from, address, request } = effect;
    let answer: OfficeAnswer | undefined;
    try {
      answer = await this.#peers.office(from, address, effect);
    } catch {
      // Not in time, or nonsense: the core asks again if it still matters.
    }
    this.#dispatch({ type: "officeAnswer", from, request, answer });
  }

  async #work({ number, ...work }: Effect & { type: "password" }): Promise<void> {
    const core = this.#core;
    const result = await this.#passwords.work(work).catch((error: Error) => {
      this.#log.error(`A password could not be worked on: ${error.message}`);
      return undefined;
    });
    // A core that took its place counts its own.
    if (this.#core === core) this.#dispatch({ type: "passwordDone", number, result });
  }

  #promisesFailed({ message }: Error): never {
    crash(`${this.#folder}/promises.json can't be written (${message}).`);
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
        const found = await this.#disk.read(since, standing.durable);
        const { lines, more } = found ?? { lines: [], more: true };
        const compacted = found === undefined;
        const data = { ...standing, events: writeLines(lines), more, compacted };
        this.#answerPeer(to as PeerReply, encode({ service: "sync", data }));
      } catch (error) {
        this.#log.error(`The journal can't be read for ${asker}: ${(error as Error).message}`);
      }
    }
    this.#answeringSyncs = false;
  }

  async #heartbeat({ report }: Effect & { type: "heartbeat" }): Promise<void> {
    this.#peers.keep((name) => this.#core?.replication.peers.has(name) === true);
    try {
      const data = { ...report, pid: processId };
      const fields = await this.#parts.link.ask("heartbeat", data, durations.viewAnswerMs);
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
    const { brokers } = this.#parts.config;
    this.#disconnecting = joined ? [] : brokers.map((broker) => this.#clients.disconnect(broker));
    if (joined) this.#clients.connect(...brokers);
    if (joined) this.#onFirstServing();
  }

  // ---- saved states -------------------------------------------------------------------------------

  async #answerSnapshot(to: PeerReply, request: SnapshotRequest): Promise<void> {
    const { clock } = this.#parts;
    try {
      const page = await this.#disk.page(request);
      // Without a page the asker learns that it has to begin with another state.
      const data = { clock: clock.tick(), ...(page ?? { status: "erro", code: "unavailable" }) };
      this.#answerPeer(to, encode({ service: "snapshot", data }));
    } catch (error) {
      this.#log.error(`The saved state can't be read: ${(error as Error).message}`);
    }
  }

  /** Copies the peer's saved state to disk, then begins anew with it. */
  async #fetchSnapshot({ peer, address }: Effect & { type: "fetchSnapshot" }): Promise<void> {
    const { clock } = this.#parts;
    const started = now().steadyMs;
    const ask = async (place: Place) => {
      const request = { service: "snapshot", clock: clock.tick(), ...place } as const;
      const page = await this.#peers.snapshot(peer, address, request);
      clock.receive(page.clock);
      if (this.#disk.isDamaged) this.#repair.progress();
      return page;
    };
    try {
      await this.#disk.readyForState();
      await fetchSnapshot(this.#folder, ask, this.#fetching.signal);
    } catch (error) {
      this.#log.warn(`The saved state of ${peer} did not come: ${(error as Error).message}`);
      return this.#dispatch({ type: "snapshotFailed", from: peer });
    }
    const ms = Math.round(now().steadyMs - started);
    this.#log.info({ ms }, `Has the saved state of ${peer}`);
    this.#core = undefined;
    try {
      this.#run(await this.#disk.reload(this.#newCore));
    } catch (error) {
      crash((error as Error).message);
    }
  }
}

/** The connection that A9 counts by: the broker, and the client's half of the tag (B1). */
function connectionOf([broker, tag]: Envelope): string {
  const client = tag?.length === tagBytes ? tag.subarray(0, tagBytes / 2) : tag;
  return `${broker?.toString("latin1")} ${client?.toString("latin1")}`;
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

/** A member speaks for itself alone. @throws PeerMessageError */
function assertSender(named: string | undefined, sender: string | undefined): void {
  if (named === sender) return;
  throw new PeerMessageError(`it says ${named}, and its seal ${sender}`);
}

function encodeReplication(message: ReplicationMessage): Uint8Array {
  if (message.type !== "events") return encode(message);
  const { lines, ...rest } = message;
  return encode({ ...rest, events: writeLines(lines) });
}

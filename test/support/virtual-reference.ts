import { decode, encode } from "../../src/protocol/codec.ts";
import { ProtocolError } from "../../src/protocol/errors.ts";
import type { ServerName } from "../../src/protocol/ids.ts";
import { LamportClock } from "../../src/protocol/lamport-clock.ts";
import { durations } from "../../src/protocol/limits.ts";
import {
  parseHeartbeatReply,
  parseReferenceReply,
  parseReferenceRequest,
} from "../../src/protocol/parse-reference.ts";
import type { HeartbeatReply, ReferenceRequest } from "../../src/protocol/reference-messages.ts";
import { handleRequest } from "../../src/reference/core/handle-request.ts";
import { Registry, type Saved } from "../../src/reference/core/registry.ts";
import type { EffectOf, Reference } from "../../src/server/surroundings.ts";
import type { CoreCluster } from "./core-cluster.ts";
import type { VirtualProcess } from "./virtual-process.ts";

type Fields = Readonly<Record<string, unknown>>;

/** The reference's core and its file. */
export class VirtualReference {
  registry: Registry;
  isUp = true;
  /** The number of the highest view that the reference ever saved. */
  highestView = 0;
  readonly #cluster: CoreCluster;
  readonly #clock = new LamportClock();
  #file: Saved | undefined;

  constructor(cluster: CoreCluster) {
    this.#cluster = cluster;
    this.registry = new Registry(undefined, cluster.time.nowMs);
    this.#advance();
  }

  start(lostFile: boolean): void {
    if (lostFile) this.#file = undefined;
    this.registry = new Registry(this.#file, this.#cluster.time.nowMs);
    this.isUp = true;
  }

  #advance(): void {
    const { time } = this.#cluster;
    if (this.isUp) {
      this.registry.advance(time.nowMs);
      this.#save();
    }
    time.after(durations.pollMs, () => this.#advance());
  }

  #save(): void {
    if (!this.registry.takeChanged()) return;
    this.#file = this.registry.saved;
    this.highestView = Math.max(this.highestView, this.registry.view.number);
    this.#cluster.checks.onView(this.#cluster, this.registry.view);
  }

  answer(request: ReferenceRequest): Fields {
    const { checks, time } = this.#cluster;
    let answer: Fields;
    try {
      // The request is handled like a member's, whose clock is read from its seal.
      const member = "user" in request ? request.user : "operator";
      this.#clock.receive(request.clock);
      const parts = { registry: this.registry, clock: this.#clock, steadyMs: time.nowMs };
      answer = handleRequest({ ...request, member }, parts);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      answer = { status: "erro", code: error.code, description: error.message };
    }
    if (request.service === "heartbeat" && request.role === "server") {
      checks.onReport(request.user as ServerName, request.durable === undefined);
    }
    this.#save();
    if (request.service === "leave" && answer.status === "OK") checks.onLeave(this.#cluster);
    return { ...answer, clock: this.#clock.tick() };
  }
}

/** A process's connection to the reference. */
export class VirtualReferenceLink implements Reference {
  readonly #cluster: CoreCluster;
  readonly #process: VirtualProcess;

  constructor(cluster: CoreCluster, process: VirtualProcess) {
    this.#cluster = cluster;
    this.#process = process;
  }

  rank(onRank: (rank: unknown) => void): void {
    const { name: user, address } = this.#process.server;
    const request = { service: "rank", user, address, clock: 0 } as ReferenceRequest;
    this.#ask(request, durations.peerRequestMs, (fields) => onRank(fields?.rank));
  }

  heartbeat(
    { report, clock }: EffectOf<"heartbeat">,
    onReply: (reply: HeartbeatReply) => void,
  ): void {
    const request: ReferenceRequest = { service: "heartbeat", ...report, clock };
    this.#ask(request, durations.viewAnswerMs, (fields) => {
      if (fields !== undefined) onReply(parseHeartbeatReply(fields));
    });
  }

  leave(onLeft: () => void): void {
    const { server } = this.#process;
    const request: ReferenceRequest = { service: "leave", user: server.name, clock: 0 };
    this.#ask(request, durations.peerRequestMs, (fields) => {
      if (fields === undefined) return;
      server.hasLeft = true;
      onLeft();
    });
  }

  /** @param onReply called once, with undefined if no successful reply came in time */
  #ask(
    request: ReferenceRequest,
    patienceMs: number,
    onReply: (fields: Fields | undefined) => void,
  ): void {
    const { network, reference, time } = this.#cluster;
    const own = this.#process.server.name;
    const untilMs = time.nowMs + patienceMs;
    const asked = network.carry(request, encodeRequest, (payload) =>
      parseReferenceRequest(decode(payload)),
    );
    const settle = this.#process.once(onReply);
    this.#process.later(patienceMs, () => settle(() => undefined));
    network.send({ wire: "reference", from: own, to: "reference" }, () => {
      if (!reference.isUp) return;
      const { service } = request;
      const answer = reference.answer(asked());
      const came = network.carry(answer, (data) => encode({ service, data }), parseReferenceReply);
      network.send({ wire: "reference", from: "reference", to: own }, () => {
        settle(() => (time.nowMs < untilMs ? repliedWith(came) : undefined));
      });
    });
  }
}

function encodeRequest({ service, ...data }: ReferenceRequest): Uint8Array {
  return encode({ service, data });
}

function repliedWith(read: () => Fields): Fields | undefined {
  try {
    const fields = read();
    return fields.status === "OK" ? fields : undefined;
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return undefined;
  }
}

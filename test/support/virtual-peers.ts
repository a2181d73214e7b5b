import { encodePeerMessage, encodeSyncAnswer } from "../../src/protocol/encode-peer.ts";
import type { ServerName } from "../../src/protocol/ids.ts";
import { durations } from "../../src/protocol/limits.ts";
import {
  parseCoordinationAnswer,
  parsePeerRequest,
  parseSyncAnswer,
} from "../../src/protocol/parse-peer.ts";
import type {
  CoordinationAnswer,
  CoordinationRequest,
  PeerRequest,
  SyncAnswer,
} from "../../src/protocol/peer-messages.ts";
import type { Input } from "../../src/server/core/effects.ts";
import { syncAnswer } from "../../src/server/peer-wire.ts";
import type { EffectOf, Peers } from "../../src/server/surroundings.ts";
import type { CoreCluster } from "./core-cluster.ts";
import type { VirtualProcess } from "./virtual-process.ts";

type AnswerTo<Answer> = (answer: Answer) => void;

interface Question<Answer> {
  readonly peer: ServerName;
  readonly request: CoordinationRequest | (PeerRequest & { readonly service: "sync" });
  readonly patienceMs: number;
  encode(answer: Answer): Uint8Array;
  parse(payload: Uint8Array): Answer;
}

/** The peer links of one process. */
export class VirtualPeers implements Peers {
  readonly #cluster: CoreCluster;
  readonly #process: VirtualProcess;

  constructor(cluster: CoreCluster, process: VirtualProcess) {
    this.#cluster = cluster;
    this.#process = process;
  }

  acknowledge({ peer: name, summary }: EffectOf<"ack">): void {
    const { network } = this.#cluster;
    const request: PeerRequest = { service: "ack", ...summary };
    const told = network.carry<PeerRequest>(request, encodePeerMessage, parsePeerRequest);
    const peer = this.#cluster.find(name);
    if (peer === undefined) return;
    network.send({ wire: "peer", from: this.#process.server.name, to: name }, () => {
      peer.deliver(inputOf(told(), undefined));
    });
  }

  askSync(
    { peer, request }: EffectOf<"askSync">,
    onAnswer: (answer: SyncAnswer | undefined) => void,
  ): void {
    const patienceMs = durations.peerRequestMs;
    const codec = { encode: encodeSyncAnswer, parse: parseSyncAnswer };
    this.#ask({ peer, request, patienceMs, ...codec }, onAnswer);
  }

  askCoordination(
    { peer, request, patienceMs }: EffectOf<"askPeer">,
    onAnswer: (answer: CoordinationAnswer | undefined) => void,
  ): void {
    const codec = { encode: encodePeerMessage, parse: parseCoordinationAnswer };
    this.#ask({ peer, request, patienceMs, ...codec }, onAnswer);
  }

  #ask<Answer>(
    { peer: name, request, patienceMs, encode, parse }: Question<Answer>,
    onAnswer: (answer: Answer | undefined) => void,
  ): void {
    const { network } = this.#cluster;
    const own = this.#process.server.name;
    const asked = network.carry<PeerRequest>(request, encodePeerMessage, parsePeerRequest);
    const settle = this.#process.once(onAnswer);
    this.#process.later(patienceMs, () => settle(() => undefined));
    const peer = this.#cluster.find(name);
    if (peer === undefined) return;
    network.send({ wire: "peer", from: own, to: name }, () => {
      const to: AnswerTo<Answer> = (answer) => {
        const came = network.carry(answer, encode, parse);
        network.send({ wire: "peer", from: name, to: own }, () => settle(came));
      };
      peer.deliver(inputOf(asked(), to));
    });
  }

  answer({ to, answer }: EffectOf<"answerPeer">): void {
    (to as AnswerTo<CoordinationAnswer>)(answer);
  }

  answerSync({ to, summary, since }: EffectOf<"answerSync">): void {
    const found = this.#process.server.disk.read(since, summary.durable);
    (to as AnswerTo<SyncAnswer>)(syncAnswer(summary, found));
  }

  watch({ peer: name }: EffectOf<"watchPeer">, onLost: () => void): void {
    const peer = this.#cluster.find(name);
    if (peer === undefined) return;
    const watched = { peer, life: peer.life, onLost: () => this.#process.call(onLost) };
    this.#process.server.watched = watched;
  }

  keep(): void {
    // A virtual connection stays open by itself.
  }
}

function inputOf(request: PeerRequest, to: unknown): Input {
  if (request.service === "ack") return { type: "ack", summary: request };
  if (request.service === "sync") return { type: "syncRequest", to, request };
  return { type: "coordinationRequest", to, request: request as CoordinationRequest };
}

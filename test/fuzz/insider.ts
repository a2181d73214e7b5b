import { join } from "node:path";
import { Membership } from "../../src/net/membership.ts";
import { referenceName } from "../../src/net/reference-link.ts";
import type { Seals } from "../../src/net/seal.ts";
import { Sessions } from "../../src/net/sessions.ts";
import { openLog } from "../../src/platform/log.ts";
import { type Purpose, readSecret, type Secret } from "../../src/platform/secret.ts";
import { decode, encode } from "../../src/protocol/codec.ts";
import { LamportClock } from "../../src/protocol/lamport-clock.ts";
import { replicationTopic } from "../../src/protocol/topics.ts";
import type { Vector } from "../../src/protocol/vector.ts";
import type { View } from "../../src/protocol/view.ts";
import { TopicKeys } from "../../src/server/topic-keys.ts";
import type { LocalCluster } from "../../src/trials/local-cluster.ts";
import type { Auth, SealedSample, Sender } from "./corpus.ts";

/** The fields of a member's messages about itself and the cluster. */
export interface Known {
  readonly view: View;
  readonly durable: Vector;
  readonly clock: number;
}

const ownName = "server_f0220000";
const address = "tcp://127.0.0.1:9";

/**
 * A process with the cluster's secret, which seals messages that members could send. For
 * `strangers` it computes the seal before the change, so that the seal no longer fits. For
 * `members` it computes the seal after the change.
 */
export class Insider {
  readonly #secret: Secret;
  readonly #auth: Auth;
  readonly #sender: Sender;
  readonly clock: LamportClock;
  /**
   * Payloads that were sealed and never sent, by their seal. A server would accept them if they
   * were sent unchanged.
   */
  readonly #whole = new Map<string, Buffer>();

  constructor(cluster: LocalCluster, options: { auth: Auth; sender: Sender; clock: number }) {
    const path = join(cluster.folder, "secret");
    this.#secret = readSecret({ text: undefined, path, isDefault: true, cluster: "tertulia" });
    this.#auth = options.auth;
    this.#sender = options.sender;
    this.clock = new LamportClock(options.clock);
  }

  /** A token of the operator, for the commands of an administrator. */
  static operatorToken(cluster: LocalCluster): string {
    const insider = new Insider(cluster, { auth: "required", sender: "members", clock: 0 });
    return new Sessions(insider.#secret.deriveKeys("token")).giveOperator(Date.now());
  }

  /** Whether the message is unchanged, so that a member could have sent it. */
  isWhole(frames: readonly Buffer[]): boolean {
    const payload = this.#whole.get(frames.at(-1)?.toString("latin1") ?? "");
    return payload !== undefined && frames.at(-2)?.equals(payload) === true;
  }

  /** All requests over a peer link, in the insider's own name and in a peer's name. */
  toServer(server: string, known: Known): SealedSample[] {
    const peer = known.view.members.find((name) => name !== server) ?? ownName;
    const health = { service: "health", data: {} };
    return [
      ...[ownName, peer].flatMap((name) =>
        questions(name, known).map((question) => this.#asked(question, { name, to: server })),
      ),
      { frames: [Buffer.alloc(0), Buffer.from(encode(health))], payload: 1 },
    ];
  }

  toReference(known: Known): SealedSample[] {
    const [member = ownName] = known.view.members;
    const report = { role: "server", view: known.view, durable: known.durable, ready: true };
    const of = (user: string) => [
      { service: "rank", data: { user, address } },
      { service: "heartbeat", data: { user, address, ...report } },
      { service: "leave", data: { user } },
    ];
    const to = referenceName;
    const sealed = [
      ...[ownName, member].flatMap((name) =>
        of(name).map((question) => this.#asked(question, { name, to })),
      ),
      this.#asked({ service: "remove", data: { user: ownName } }, { name: "operator_1", to }),
    ];
    if (this.#sender === "members") return sealed;
    const remove = { service: "remove", data: { user: member, force: true } };
    const guests = [...of("visitor"), ...of(member), remove, { service: "list", data: {} }];
    return [
      ...sealed,
      ...guests.map((value) => {
        return { frames: [Buffer.alloc(0), Buffer.from(encode(value))], payload: 1 };
      }),
    ];
  }

  /** A sample of a member's publication on `replication`. */
  replicated(frames: readonly Buffer[]): SealedSample {
    const [topic, published = Buffer.alloc(0)] = frames;
    if (this.#sender !== "members" || topic === undefined) return { frames, payload: 1 };
    const keys = this.#auth === "required" ? new TopicKeys(this.#secret) : undefined;
    const plain = keys?.openReplication(published) ?? published;
    const { server } = decode(plain) as { server: string };
    const seals = this.#seals(server, "replication");
    const seal = (payload: Buffer) => {
      const sent = keys?.sealReplication(payload, Date.now()) ?? payload;
      return [topic, sent, seals.seal(replicationTopic, sent)];
    };
    return { frames: [plain], payload: 0, seal };
  }

  #asked(question: unknown, { name, to }: { name: string; to: string }): SealedSample {
    const seals = this.#seals(name, to === referenceName ? "reference" : "peer");
    const payload = Buffer.from(encode(question));
    const seal = (sent: Buffer) => [Buffer.alloc(0), sent, seals.seal(to, sent)];
    if (this.#sender === "members") return { frames: [payload], payload: 0, seal };
    const frames = seal(payload);
    this.#whole.set(String(frames.at(-1)?.toString("latin1")), payload);
    return { frames, payload: 1 };
  }

  #seals(name: string, purpose: Purpose): Seals {
    const self = () => name;
    const log = openLog({ level: "silent", role: "test", name: self, clock: () => 0 });
    return new Membership({ secret: this.#secret, self, clock: this.clock, log }).seals(purpose);
  }
}

function questions(name: string, { view, durable, clock }: Known): unknown[] {
  const epoch = { view: view.number, term: 2 };
  const summary = { server: name, clock, view, durable, office: epoch };
  const operation = {
    ...{ kind: "rehash", by: "dora", id: "a-1", since: 0, from: "x" },
    credential: "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA",
  };
  return [
    ["sync", {}],
    ["election", { epoch }],
    ["candidate", { epoch }],
    ["accept", { epoch, seq: 1 }],
    ["forward", { operations: [operation] }],
    ["slots", { number: view.number }],
    ["clock", { round: 1 }],
    ["clock", { round: 1, correctionMs: 3 }],
    ["steps", { of: "a-1" }],
    ["snapshot", { clock, file: 0, offset: 0 }],
  ].map(([service, fields]) => ({ service, data: { ...summary, ...(fields as object) } }));
}

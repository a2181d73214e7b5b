import type { Fields } from "../../protocol/fields.ts";
import type { ServerName } from "../../protocol/ids.ts";
import { isOurList, parseList } from "../../protocol/parse-list.ts";
import type { Listed, SelfReport } from "../../protocol/reference-messages.ts";
import type { StatusReply } from "../../protocol/replies.ts";
import type { Vector } from "../../protocol/vector.ts";
import { noView, parseView, quorumOf } from "../../protocol/view.ts";
import { withFewGuests } from "../core/reports.ts";
import type { Standing } from "./engine.ts";

interface Parts {
  readonly name: ServerName;
  readonly self: SelfReport;
  disbelievedClocks(): number;
}

/** What a server with an engine knows of the cluster: what the engine and the reference have told. */
export class ClusterView {
  /** The processes that the reference has listed. */
  processes: readonly Listed[] = [];
  /** Whether a quorum of replicas is among them, which serves clients without an engine. */
  hasReplicas = false;
  committed: Vector = {};
  readonly #parts: Parts;
  #standing: Standing = { servers: [], keeper: undefined, timeMs: 0, clock: 0, holders: [] };
  /** By how many milliseconds the engine's clock is ahead of this machine's. */
  #offsetMs = 0;
  #rounds = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  get offsetMs(): number {
    return this.#offsetMs;
  }

  get standing(): Standing {
    return this.#standing;
  }

  get isKeeper(): boolean {
    return this.#standing.keeper?.name === this.#parts.name;
  }

  /** Learns from the reference's reply to `list`. */
  hear(reply: Fields): void {
    this.processes = parseList(reply.list);
    const view = isOurList(reply) ? parseView(reply.view) : noView;
    // A guest may have the name of a member that is down.
    const isReplica = ({ name, isKnown, hasEngine }: Listed) =>
      isKnown && hasEngine !== true && view.members.some((member) => member === name);
    const live = this.processes.filter(isReplica).length;
    this.hasReplicas = live > 0 && live >= quorumOf(view);
  }

  /** @param wallMs this machine's time in the middle between question and answer */
  learn(standing: Standing, wallMs: number): void {
    this.#standing = standing;
    this.#offsetMs = standing.timeMs - wallMs;
    this.#rounds += 1;
  }

  /**
   * Returns the status of the cluster (Q10). The view has all servers that live: with an engine each
   * of them is enough, so one that is gone is no longer waited for.
   */
  status(): StatusReply {
    const { servers, keeper } = this.#standing;
    const ranks = new Map(this.processes.map(({ name, rank }) => [name, rank]));
    const members = servers.map(({ name, address, silentMs, clock, rate }) => ({
      name,
      rank: ranks.get(name) ?? null,
      address,
      member: true,
      live: true,
      silentMs: Math.round(silentMs),
      phase: "live",
      lag: 0,
      durable: {},
      clock,
      offsetMs: name === this.#parts.name ? Math.round(this.#offsetMs * 10) / 10 : null,
      lastCorrectionMs: null,
      clockRounds: name === this.#parts.name ? this.#rounds : null,
      rate,
    }));
    return {
      members,
      processes: withFewGuests(this.processes),
      coordinator: keeper?.name ?? null,
      // Clients expect a view and an epoch. With an engine the number of the view never changes.
      epoch: keeper === undefined ? null : { view: 1, term: keeper.fence },
      view: { number: 1, members: servers.map(({ name }) => name) },
      committed: this.committed,
      ...this.#parts.self,
      disbelievedClocks: this.#parts.disbelievedClocks(),
      decisionFaults: undefined,
    };
  }
}

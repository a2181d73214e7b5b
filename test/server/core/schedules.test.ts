import fc from "fast-check";
import { expect, test } from "vitest";
import type { ChannelEntry } from "../../../src/protocol/messages.ts";
import {
  type CoreCluster,
  checkpointText,
  type Question,
  servingCluster,
} from "../../support/core-cluster.ts";

const serverCount = 3;
const anyServer = fc.integer({ min: 1, max: serverCount });

const anyAction = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("publish" as const), server: anyServer }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("retry" as const), server: anyServer }) },
  fc.record({ do: fc.constant("cut" as const), server: anyServer, other: anyServer }),
  fc.record({ do: fc.constant("isolate" as const), server: anyServer }),
  fc.record({ do: fc.constant("heal" as const) }),
  fc.record({ do: fc.constant("lose" as const), share: fc.constantFrom(0.1, 0.5, 1) }),
  fc.record({ do: fc.constant("crash" as const), server: anyServer }),
  fc.record({ do: fc.constant("start" as const), server: anyServer }),
  fc.record({ do: fc.constant("slow" as const), server: anyServer, syncMs: fc.nat(400) }),
  { weight: 4, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.nat(1_500) }) },
);
type Action = typeof anyAction extends fc.Arbitrary<infer Value> ? Value : never;

/** Clients that publish and try again; each logical message has one id and one text. */
class Workload {
  readonly #cluster: CoreCluster;
  readonly #sent: { readonly id: string; readonly questions: Question[] }[] = [];

  constructor(cluster: CoreCluster) {
    this.#cluster = cluster;
  }

  publish(number: number): void {
    const id = `message ${this.#sent.length}`;
    this.#sent.push({ id, questions: [this.#ask(number, id)] });
  }

  /** The last message without a good answer goes to another server. */
  retry(number: number): void {
    const open = this.#sent.findLast(({ questions }) => !questions.some(isOk));
    open?.questions.push(this.#ask(number, open.id));
  }

  get acknowledged(): string[] {
    return this.#sent.filter(({ questions }) => questions.some(isOk)).map(({ id }) => id);
  }

  #ask(number: number, id: string): Question {
    const data = { user: "ana", channel: "geral", message: id, id, after: {} };
    return this.#cluster.ask(this.#cluster.server(number), "publish", data);
  }
}

function isOk({ reply }: Question): boolean {
  return reply?.status === "OK";
}

function perform(cluster: CoreCluster, workload: Workload, action: Action): void {
  const { network } = cluster;
  const server = "server" in action ? cluster.server(action.server) : cluster.server(1);
  switch (action.do) {
    case "publish":
      return workload.publish(action.server);
    case "retry":
      return workload.retry(action.server);
    case "cut":
      return network.cut(server.name, cluster.server(action.other).name);
    case "isolate":
      return network.partition(
        [server.name],
        cluster.servers.filter((other) => other !== server).map(({ name }) => name),
      );
    case "heal":
      return network.heal();
    case "lose":
      network.broadcastLoss = action.share;
      return;
    case "crash":
      return cluster.crash(server);
    case "start":
      if (!server.isRunning) cluster.start(server);
      return;
    case "slow":
      server.syncMs = action.syncMs + 1;
      return;
    case "wait":
      return cluster.runFor(action.ms);
    default:
      action satisfies never;
  }
}

function recover(cluster: CoreCluster): void {
  cluster.network.heal();
  for (const server of cluster.servers) {
    server.syncMs = 1;
    if (!server.isRunning) cluster.start(server);
  }
  cluster.runUntilServing();
  cluster.runUntilEqual();
}

/** As a supervisor does it: all at once, whatever is under way. */
function stopUnderLoad(cluster: CoreCluster, workload: Workload): void {
  for (let number = 1; number <= 2 * serverCount; number += 1) {
    workload.publish(1 + (number % serverCount));
    cluster.runFor(1);
  }
  for (const server of cluster.servers) cluster.stop(server);
  cluster.runUntil(() => cluster.servers.every(({ isRunning }) => !isRunning), "all end", 5_000);
}

function visible(cluster: CoreCluster, number: number): string[] {
  const data = { channel: "geral", limit: 1_000 };
  const reply = cluster.request(cluster.server(number), "history", data);
  return (reply.entries as ChannelEntry[]).map(({ message }) => message);
}

test("[R1] [R3] [R4] [R6] [R8] [R11] after any schedule of faults all have the same, once", () => {
  const schedule = fc.array(anyAction, { maxLength: 40 });
  fc.assert(
    fc.property(schedule, fc.nat(), (actions, seed) => {
      const cluster = servingCluster(serverCount, seed);
      const workload = new Workload(cluster);
      for (const action of actions) perform(cluster, workload, action);
      cluster.runFor(2_500);
      recover(cluster);
      const files = cluster.servers.map(checkpointText);
      expect(new Set(files).size).toBe(1);
      const texts = visible(cluster, 1);
      expect(new Set(texts).size).toBe(texts.length);
      expect(texts).toEqual(expect.arrayContaining(workload.acknowledged));
      for (let number = 2; number <= serverCount; number += 1) {
        expect(visible(cluster, number)).toEqual(texts);
      }
      stopUnderLoad(cluster, workload);
      expect(new Set(cluster.servers.map(checkpointText)).size).toBe(1);
    }),
    { numRuns: 60 },
  );
});

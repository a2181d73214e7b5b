import { pause } from "../../src/platform/clock.ts";
import type { LocalCluster } from "../../src/trials/local-cluster.ts";
import { ResumingClient } from "../support/live-client.ts";
import { until } from "../support/until.ts";
import { geral, LiveScene } from "./live-scene.ts";

interface KillOptions {
  readonly gateways: number;
  readonly kills: number;
  /** Messages that are written to the client's conversation in a second. */
  readonly rate: number;
}

interface KillResult {
  /** Of each kill: milliseconds until the client had caught up at another gateway. */
  readonly resumeMs: readonly number[];
  readonly said: number;
  readonly lost: number;
  readonly doubled: number;
  /** How often the client was told that messages are missing. */
  readonly breaks: number;
}

/**
 * Kills the gateway that holds a client's socket again and again while messages are written, and
 * counts what the client hears.
 */
export async function killGateways({ gateways, kills, rate }: KillOptions): Promise<KillResult> {
  const scene = new LiveScene({ gateways });
  try {
    await scene.begin();
    const heard = new Map<string, number>();
    let holder: string | undefined;
    using client = new ResumingClient({
      gateways: () => scene.gateways,
      token: await scene.token("ana"),
      conversation: "#geral",
      onMessage: ({ entry: { message } }) => heard.set(message, (heard.get(message) ?? 0) + 1),
      onCaughtUp: (gateway) => {
        holder = gateway;
      },
    });
    await until(() => holder !== undefined, "the client listens");
    const writer = new Writer(scene, rate);
    const resumeMs: number[] = [];
    for (let kill = 0; kill < kills; kill += 1) {
      const count = heard.size;
      await until(() => heard.size > count + rate / 4, "messages come", 20_000);
      const victim = gatewayAt(scene.cluster, holder);
      // A killed gateway starts again only after some seconds.
      const others = scene.gateways.filter((address) => address !== holder);
      await until(() => isAnyReady(others), "another gateway serves", 30_000);
      const startMs = performance.now();
      holder = undefined;
      victim.signal("SIGKILL");
      await until(() => holder !== undefined, "the client listens again", 20_000);
      resumeMs.push(performance.now() - startMs);
    }
    const said = await writer.stop();
    await until(() => said.every((text) => heard.has(text)), "all are heard", 10_000).catch(
      () => {},
    );
    const lost = said.filter((text) => !heard.has(text)).length;
    const doubled = [...heard.values()].filter((times) => times > 1).length;
    return { resumeMs, said: said.length, lost, doubled, breaks: client.breaks };
  } finally {
    await scene.cluster?.[Symbol.asyncDispose]();
  }
}

/** Whether one of the gateways serves. */
async function isAnyReady(addresses: readonly string[]): Promise<boolean> {
  const replies = await Promise.allSettled(addresses.map((address) => fetch(`${address}/readyz`)));
  return replies.some((reply) => reply.status === "fulfilled" && reply.value.ok);
}

function gatewayAt(cluster: LocalCluster, address: string | undefined) {
  const found = cluster
    .of("gateway")
    .find(({ ready }) => ready?.endpoints.http?.replace("tcp:", "http:") === address);
  if (found === undefined) throw new Error(`no gateway serves ${address}`);
  return found;
}

/** Writes numbered messages at a steady pace. */
class Writer {
  readonly #said: string[] = [];
  readonly #ending = new AbortController();
  readonly #done: Promise<void>;

  constructor({ founder }: LiveScene, rate: number) {
    this.#done = this.#write(rate, (text) => founder.publish(geral, text));
  }

  /** @returns the acknowledged messages */
  async stop(): Promise<readonly string[]> {
    this.#ending.abort();
    await this.#done;
    return this.#said;
  }

  async #write(rate: number, publish: (text: string) => Promise<unknown>): Promise<void> {
    const open = new Set<Promise<void>>();
    const startMs = performance.now();
    for (let number = 0; !this.#ending.signal.aborted; number += 1) {
      await pause(startMs + (1_000 * number) / rate - performance.now());
      const text = `message ${number}`;
      const written = publish(text).then(() => {
        this.#said.push(text);
        open.delete(written);
      });
      open.add(written);
    }
    await Promise.all(open);
  }
}

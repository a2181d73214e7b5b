import type { ChannelName } from "../../src/protocol/ids.ts";
import type { ChannelEntry } from "../../src/protocol/publications.ts";
import { assertPromise } from "../support/check-promises.ts";
import type { CoreCluster } from "../support/core-cluster.ts";
import type { VirtualServer } from "../support/virtual-server.ts";
import { checkHooks } from "./hook-user.ts";

interface Expected {
  readonly channel: ChannelName;
  /** The texts that the history must show. */
  readonly acknowledged: Iterable<string>;
}

/** Reads a channel's history, and checks that it shows each message once, and all of `acknowledged`. */
export function checkHistory(
  cluster: CoreCluster,
  server: VirtualServer,
  { channel, acknowledged }: Expected,
): void {
  const data = { channel, limit: 1_000, after: {} };
  const texts: string[] = [];
  let next: string | undefined;
  do {
    const reply = cluster.request(server, "history", { ...data, before: next });
    const text = `${server.name} answers ${reply.code} when all is well`;
    assertPromise(reply.status === "OK", "R8", text);
    const entries = reply.entries as ChannelEntry[];
    checkHooks(entries, server.name);
    texts.push(...entries.map(({ message }) => message));
    next = reply.next as string | undefined;
  } while (next !== undefined);
  const seen = new Set(texts);
  assertPromise(seen.size === texts.length, "R6", `${server.name} shows a message twice`);
  for (const text of acknowledged) {
    assertPromise(seen.has(text), "R5", `${server.name} does not show "${text}"`);
  }
}

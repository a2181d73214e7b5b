import { parseChannelName, parseUserName } from "../src/protocol/ids.ts";
import type { LocalCluster } from "../src/trials/local-cluster.ts";
import { type Figures, measure } from "./measure.ts";

/** About 120 bytes of text, as a chat line has. */
const text = "The quick brown fox jumps over the lazy dog; then it rests a while. "
  .repeat(2)
  .slice(0, 120);

/** Publications from one connection; each is on a majority's disks before its answer. */
export async function writes(
  cluster: LocalCluster,
  options: { inFlight: number; seconds: number; password?: string; channel?: string },
): Promise<Figures> {
  await using client = cluster.client({ proxies: [] });
  await client.login(parseUserName("bench"), options.password);
  const channel = options.channel ?? `bench-${options.inFlight}-${Math.floor(performance.now())}`;
  if (options.channel === undefined) await client.createChannel(parseChannelName(channel));
  return await measure(() => client.publish(parseChannelName(channel), text), options);
}

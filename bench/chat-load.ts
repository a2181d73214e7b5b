import type { Session } from "../src/client/session.ts";
import { isExistingChannel } from "../src/protocol/errors.ts";
import { type ChannelName, parseChannelName, parseUserName } from "../src/protocol/ids.ts";
import type { LocalCluster } from "../src/trials/local-cluster.ts";
import { type EndlessLoad, type Load, measure } from "./measure.ts";
import { messageText, numbered } from "./message.ts";
import type { Values } from "./workload.ts";

/** The password of every user of the bench. */
export const password = "a password of the bench";
export const channel = parseChannelName("bench");

const warmUpPublications = 20_000;

export interface Members {
  readonly count?: number;
  readonly channels?: readonly ChannelName[];
  /** Whether the users need accounts. */
  readonly accounts?: boolean;
}

/** Returns sessions, each with a user and a connection of its own, and creates the channels. */
export async function members(cluster: LocalCluster, options: Members = {}): Promise<Session[]> {
  const { count = 1, channels = [channel], accounts = false } = options;
  const sessions = Array.from({ length: count }, () => {
    return cluster.client({ proxies: [], deadlineMs: 60_000 });
  });
  await Promise.all(sessions.map((session, number) => enter(session, `user${number}`, accounts)));
  const [first] = sessions;
  await Promise.all(channels.map((name) => first?.createChannel(name).catch(unlessExisting)));
  return sessions;
}

function unlessExisting(error: unknown): void {
  if (!isExistingChannel(error)) throw error;
}

async function enter(session: Session, name: string, hasAccount: boolean): Promise<void> {
  const user = parseUserName(name);
  if (hasAccount) await session.register(user, password);
  await session.login(user, hasAccount ? password : undefined);
}

/** Publications of 120 bytes; sessions and channels take turns. */
export function publish(
  sessions: readonly Session[],
  load: Load | EndlessLoad,
  channels: readonly ChannelName[] = [channel],
): Promise<Values> {
  return measure((index, lane) => {
    const name = channels[index % channels.length] as ChannelName;
    return sessions[lane % sessions.length]?.publish(name, messageText);
  }, load);
}

/** Publishes so many messages, as fast as possible. @returns publications per second */
export async function fill(
  [session]: readonly Session[],
  publications: number,
  channels: readonly ChannelName[] = [channel],
): Promise<number> {
  const startMs = performance.now();
  let sent = 0;
  const lane = async () => {
    while (sent < publications) {
      sent += 1;
      await session?.publish(channels[sent % channels.length] as ChannelName, numbered(sent));
    }
  };
  await Promise.all(Array.from({ length: 512 }, lane));
  return (1_000 * publications) / (performance.now() - startMs);
}

/**
 * Writes so much to a new cluster that its processes have compiled their code. Otherwise the first
 * of two clusters would seem slower.
 */
export async function warmUp(
  sessions: readonly Session[],
  channels?: readonly ChannelName[],
): Promise<void> {
  await fill(sessions, warmUpPublications, channels);
}

export function channelNames(count: number): ChannelName[] {
  return Array.from({ length: count }, (_, number) => parseChannelName(`channel${number}`));
}

import { createSecretKey } from "node:crypto";
import { Subscriber } from "zeromq";
import type { Session } from "../../src/client/session.ts";
import { Sessions } from "../../src/net/sessions.ts";
import { newHookToken } from "../../src/platform/hook-token.ts";
import { decode, encode } from "../../src/protocol/codec.ts";
import { parseChannelName, parseHookName, parseUserName } from "../../src/protocol/ids.ts";
import { tagBytes } from "../../src/protocol/limits.ts";
import { replicationTopic } from "../../src/protocol/topics.ts";
import { noView } from "../../src/protocol/view.ts";
import type { LocalCluster } from "../../src/trials/local-cluster.ts";
import { until } from "../support/until.ts";
import { Insider } from "./insider.ts";
import type { Sample } from "./mutate.ts";
import { Tap } from "./tap.ts";

export type Auth = "open" | "required";

/**
 * The kinds of senders: anybody who reaches a port, users with a session, members with the secret.
 */
export const senders = ["strangers", "users", "members"] as const;
export type Sender = (typeof senders)[number];

/** A sample, with a function that seals a mutant of it. */
export interface SealedSample extends Sample {
  readonly seal?: (payload: Buffer) => readonly Buffer[];
}

export interface Corpus {
  readonly front: readonly SealedSample[];
  readonly back: readonly SealedSample[];
  /** The samples by the name of the server that they are sent to. */
  readonly peerLinks: ReadonlyMap<string, readonly SealedSample[]>;
  readonly reference: readonly SealedSample[];
  readonly replication: readonly SealedSample[];
  /** Publications for users. */
  readonly topics: readonly SealedSample[];
  readonly subscriptions: readonly SealedSample[];
  readonly insider: Insider;
}

export const people = { ana: "a sentence of ana", bia: "a sentence of bia" } as const;
export const channel = parseChannelName("geral");

const subscribed = ["", "replication", "servers", `#${channel}\0`, "@ana\0", channel];
/**
 * Ticks by which the clocks in seals are ahead of the servers' clocks, so that servers accept the
 * seals as new.
 */
const clockAhead = 1_000;

type Fields = Readonly<Record<string, unknown>>;

/**
 * Uses every service for clients through the tap; creates and logs in the users that write later.
 */
async function useAll(client: Session, auth: Auth): Promise<void> {
  const required = auth === "required";
  for (const [user, password] of Object.entries(people)) {
    if (required) await client.register(parseUserName(user), password);
    await client.login(parseUserName(user), required ? password : undefined);
  }
  await client.createChannel(channel);
  for (const text of ["olá", "texto mais longo ".repeat(20)]) {
    await client.publish(channel, text);
    await client.message(parseUserName("ana"), text);
  }
  const user = parseUserName("bia");
  const hookToken = newHookToken();
  const { hook } = await client.ask("hook", {
    user,
    channel,
    name: parseHookName("ci"),
    hookToken,
  });
  await client.ask("post", { hookToken, message: "by hook" });
  await client.ask("hooks", { user });
  await client.ask("unhook", { hook });
  await client.subscribe({ channel }, () => {});
  const own = { user: parseUserName("bia") };
  const { next, seen } = await client.history({ channel }, { limit: 1 });
  await Promise.all([
    client.users(),
    client.channels(),
    client.ask("channels", { prefix: "g", from: "geral", limit: 1 }),
    client.ask("removal", { channel, removed: false }).catch(() => "an administrator's"),
    client.time(),
    client.status(),
    client.trace("a-1").catch(() => "an administrator's"),
    client.presence("online"),
    client.history(own, { limit: 5 }),
    client.history({ channel }, { since: seen }),
    client.search({ channel }, 'by "hook" -nobody', { limit: 2 }),
    client.history({ channel }, { before: next, limit: 1 }),
  ]);
  if (required) await client.changePassword(parseUserName("bia"), people.bia, people.bia);
  else await client.register(parseUserName("carla"), "a sentence of carla");
}

/**
 * The same request without a session, and with a session that another secret has signed, both with
 * a guessed password: servers must refuse both.
 */
function withoutSession(payload: Buffer): Buffer[] {
  const value = decode(payload);
  const key = createSecretKey(Buffer.from("a secret of somebody else"));
  const token = new Sessions([key]).give({ user: "ana" as never, version: "1" }, Date.now());
  const strip = (replaced: Fields) => (request: unknown) => {
    const { service, data } = request as { service: string; data: Fields };
    const password = data.password === undefined ? undefined : "a guess";
    return { service, data: { ...data, ...replaced, password } };
  };
  return [{ token: undefined }, { token }].map((replaced) => {
    const stripped = Array.isArray(value) ? value.map(strip(replaced)) : strip(replaced)(value);
    return Buffer.from(encode(stripped));
  });
}

/** The payload in the two envelopes that a client may use (W12). */
function enveloped(payload: Buffer): Sample[] {
  return [
    { frames: [Buffer.alloc(0), payload], payload: 1 },
    { frames: [payload], payload: 0 },
  ];
}

/** Records all publications that the proxy sends while `chat` is repeated. */
async function listen(cluster: LocalCluster, chat: () => Promise<unknown>): Promise<Buffer[][]> {
  const socket = new Subscriber({ linger: 0 });
  socket.connect(cluster.endpoints.proxy);
  socket.subscribe("");
  const heard: Buffer[][] = [];
  const reading = (async () => {
    for await (const frames of socket) heard.push(frames);
  })().catch(() => {});
  const count = (prefix: string) =>
    heard.filter(([topic]) => topic?.toString().startsWith(prefix)).length;
  await until(async () => {
    await chat();
    return count("replication") >= 40 && count("#") >= 3 && count("@") >= 3;
  }, "the proxy is heard");
  socket.close();
  await reading;
  return heard;
}

/** Records valid messages of a cluster: requests, replies and publications. */
export async function record(
  cluster: LocalCluster,
  { auth, sender }: { readonly auth: Auth; readonly sender: Sender },
): Promise<Corpus> {
  using tap = new Tap(cluster.endpoints.broker);
  const brokers = [await tap.open()];
  const client = cluster.client({ brokers });
  await useAll(client, auth);
  const heard = await listen(cluster, async () => {
    await client.publish(channel, "ouvido");
    await client.message(parseUserName("ana"), "ouvido");
  });
  const { view = noView, committed } = await client.status();
  const clock = client.connection.clock.value;
  await client.close();

  const isStripped = sender === "strangers" && auth === "required";
  const asked = isStripped ? tap.requests.flatMap(withoutSession) : tap.requests;
  const insider = new Insider(cluster, { auth, sender, clock: clock + clockAhead });
  const known = { view, durable: committed ?? {}, clock };
  const isReplication = ([topic]: Buffer[]) => topic?.toString() === replicationTopic;
  return {
    front: asked.flatMap(enveloped),
    back: tap.replies.map((reply) => {
      return { frames: [Buffer.alloc(tagBytes, 7), Buffer.alloc(0), reply], payload: 2 };
    }),
    peerLinks: new Map(view.members.map((name) => [name, insider.toServer(name, known)])),
    reference: insider.toReference(known),
    replication: heard.filter(isReplication).map((frames) => insider.replicated(frames)),
    topics: heard
      .filter((frames) => !isReplication(frames))
      .map((frames) => ({ frames, payload: 1 })),
    subscriptions: subscribed.flatMap((topic) =>
      [0, 1].map((mark) => {
        return { frames: [Buffer.concat([Buffer.of(mark), Buffer.from(topic)])], payload: 0 };
      }),
    ),
    insider,
  };
}

import { afterAll, beforeAll } from "vitest";
import { Subscriber } from "zeromq";
import type { Session } from "../../src/client/session.ts";
import { parseChannelName, parseUserName } from "../../src/protocol/ids.ts";
import { type ConversationName, conversationTopic } from "../../src/protocol/topics.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { until } from "../support/until.ts";

export const passwordOf = (user: string) => `the long password of ${user}`;

export const topicOf = (name: object) => conversationTopic(name as ConversationName);

/** A cluster with accounts and the channel #geral, and the sessions of its users. */
export class AccountsScene {
  cluster!: LocalCluster;
  /** The newest token of each user. */
  readonly tokens = new Map<string, string>();

  async begin(): Promise<void> {
    this.cluster = await LocalCluster.start({ auth: "required", logLevel: "debug" });
    const channel = await this.enter("founder");
    await channel.createChannel(parseChannelName("geral"));
    await channel.close();
  }

  /** Logs a user in and returns the session; registers the account at the first call. */
  async enter(user: string): Promise<Session> {
    const client = this.cluster.client({ onToken: (token) => this.tokens.set(user, token) });
    if (!this.tokens.has(user)) await client.register(parseUserName(user), passwordOf(user));
    await client.login(parseUserName(user), passwordOf(user));
    return client;
  }

  holding(token: string | undefined): Session {
    return this.cluster.client({ token });
  }

  /** Runs `doIt`, and returns the frames of all messages that the proxy sent during that time. */
  async overhear(doIt: (heard: Buffer[][]) => Promise<void>): Promise<Buffer[][]> {
    const socket = new Subscriber({ linger: 0 });
    socket.connect(this.cluster.endpoints.proxy);
    socket.subscribe("");
    const heard: Buffer[][] = [];
    const hearing = (async () => {
      for await (const frames of socket) heard.push(frames);
    })();
    const founder = await this.enter("founder");
    // Servers with an engine send each other nothing but presence.
    let isOnline = false;
    await until(async () => {
      isOnline = !isOnline;
      await founder.presence(isOnline ? "online" : "away");
      return heard.length > 0;
    }, "it hears the servers");
    await founder.close();
    await doIt(heard);
    socket.close();
    await hearing;
    return heard;
  }
}

/** A scene that starts before the tests of a file and stops after them. */
export function accountsScene(): AccountsScene {
  const made = new AccountsScene();
  beforeAll(() => made.begin(), 60_000);
  afterAll(() => made.cluster?.[Symbol.asyncDispose](), 30_000);
  return made;
}

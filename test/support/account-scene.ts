import { expect } from "vitest";
import type { ReplyData, Session } from "../../src/protocol/client-messages.ts";
import type { UserName } from "../../src/protocol/ids.ts";
import { durations } from "../../src/protocol/limits.ts";
import type { Auth } from "../../src/server/core/accounts/access.ts";
import type { Retention } from "../../src/server/core/chat/chat-state.ts";
import type { FloodPaces } from "../../src/server/core/serving/flood.ts";
import { coordinator } from "./coordinators.ts";
import { CoreCluster } from "./core-cluster.ts";
import type { VirtualServer } from "./virtual-server.ts";

export type Fields = Readonly<Record<string, unknown>>;

/** Three servers with accounts. Requests go to the first server, unless a test names another. */
export class Scene {
  readonly cluster: CoreCluster;
  #tokens = 0;

  constructor(flood?: FloodPaces, auth: Auth = "required", retention?: Retention) {
    this.cluster = new CoreCluster({ servers: 3, auth, flood, retention });
    this.cluster.runUntilServing();
    coordinator(this.cluster);
  }

  get server(): VirtualServer {
    return this.cluster.server(1);
  }

  ask(service: string, data: Fields = {}, server = this.server): ReplyData {
    return this.cluster.request(server, service, data);
  }

  /** Makes a token for a granted session, as the shell does. */
  token(grant: unknown, more: Partial<Session> = {}): string {
    this.#tokens += 1;
    const token = `token ${this.#tokens}`;
    const issuedMs = this.cluster.correctedMs(this.server);
    const expiresMs = issuedMs + durations.sessionMs;
    const session = { ...(grant as Session), issuedMs, expiresMs, isOperator: false, ...more };
    this.cluster.sessions.set(token, session);
    return token;
  }

  get operator(): string {
    return this.token({ user: "operator", version: "" }, { isOperator: true });
  }

  login(user: string, password = `${user}'s`, server = this.server): string {
    const reply = this.ask("login", { user, password }, server);
    expect(reply).toMatchObject({ status: "sucesso" });
    return this.token(reply.grant);
  }

  /** Registers an account and logs it in. @returns the session's token */
  user(name: string): string {
    const password = `${name}'s`;
    expect(this.ask("register", { user: name, password })).toMatchObject({ status: "OK" });
    const known = () =>
      this.cluster.servers.every(({ core }) => core.accounts.owner(name as UserName) !== undefined);
    this.cluster.runUntil(known, "all know the account");
    return this.login(name);
  }
}

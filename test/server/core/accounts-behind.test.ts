import { describe, expect, test } from "vitest";
import type { ReplyData } from "../../../src/protocol/client-messages.ts";
import type { FloodPaces } from "../../../src/server/core/serving/flood.ts";
import { type Fields, Scene } from "../../support/account-scene.ts";

function seenOf({ slot }: ReplyData): Record<string, number> {
  return { slot: slot as number };
}

/**
 * Three servers. `cut` isolates the third one, and `change` then makes a change that the third
 * server misses.
 */
class Lagging {
  readonly scene: Scene;
  readonly bia: string;
  readonly operator: string;

  constructor(flood?: FloodPaces) {
    this.scene = new Scene(flood);
    this.scene.user("ana");
    this.bia = this.scene.user("bia");
    this.operator = this.scene.operator;
    this.scene.ask("channel", { channel: "geral", token: this.bia });
    this.scene.cluster.runUntilEqual();
  }

  get #last() {
    return this.scene.cluster.server(3);
  }

  cut(): void {
    const names = this.scene.cluster.servers.map(({ name }) => name);
    this.scene.cluster.network.partition(names.slice(2), names.slice(0, 2));
  }

  heal(): void {
    this.scene.cluster.network.heal();
  }

  /**
   * Asks a server that is not cut off. @returns the granted token, and an `after` that names the
   * change
   */
  change(service: string, data: Fields): { after: Record<string, number>; token: string } {
    const reply = this.scene.ask(service, { ...data, after: {} });
    expect(reply).toMatchObject({ status: "OK" });
    return { after: seenOf(reply), token: this.scene.token(reply.grant) };
  }

  /** Asks the server that was cut off. */
  ask(service: string, data: Fields) {
    return this.scene.cluster.ask(this.#last, service, data);
  }

  reply(question: { readonly reply?: ReplyData | undefined }): ReplyData {
    this.scene.cluster.runUntil(() => question.reply !== undefined, "a reply");
    return question.reply as ReplyData;
  }
}

const newPassword = { user: "ana", password: "ana's", newPassword: "new" };

describe("[A6] [R9] requests at a server that has missed a change of an account", () => {
  test("a server that lacks events of a request's `after` gives no final refusal before it has those events", () => {
    const lagging = new Lagging();
    const { bia, operator: token } = lagging;
    const { scene } = lagging;
    scene.ask("account", { user: "bia", locked: true, token });
    scene.ask("registration", { mode: "closed", token });
    scene.cluster.runUntilEqual();
    lagging.cut();
    const password = lagging.change("password", newPassword);
    const unlock = lagging.change("account", { user: "bia", locked: false, token });
    const raise = lagging.change("account", { user: "bia", administrator: true, token });
    const open = lagging.change("registration", { mode: "open", token });
    const asked = [
      lagging.ask("users", password),
      lagging.ask("users", { token: bia, after: unlock.after }),
      lagging.ask("account", { user: "ana", locked: true, token: bia, after: raise.after }),
    ];
    const register = { user: "eva", password: "eva's", after: open.after };
    const guest = lagging.ask("register", register);
    scene.cluster.runFor(100);
    expect(asked.map(({ reply }) => reply)).toEqual([undefined, undefined, undefined]);
    // A guest's request never waits: the server answers `behind`, and the guest asks again.
    expect(guest.reply).toMatchObject({ code: "behind", retry: true });
    lagging.heal();
    for (const question of asked) {
      expect(lagging.reply(question)).toMatchObject({ status: "OK" });
    }
    scene.cluster.runUntilEqual();
    expect(lagging.reply(lagging.ask("register", register))).toMatchObject({ status: "OK" });
  });

  test("[D8] [D9] a server that lacks an account does not refuse a change of its password that was decided, if it is asked for as of now", () => {
    const lagging = new Lagging();
    lagging.cut();
    lagging.change("register", { user: "eva", password: "eva's" });
    lagging.scene.cluster.runFor(100);
    const change = { user: "eva", password: "eva's", newPassword: "new", id: "1" };
    const first = lagging.scene.ask("password", change);
    expect(first).toMatchObject({ status: "OK" });
    const { slot } = first;
    // The client has no answer, and asks again at the server that was cut off.
    const again = () => lagging.reply(lagging.ask("password", { ...change, consistency: "now" }));
    expect(again()).toMatchObject({ code: "unavailable", retry: true });
    lagging.heal();
    let reply = again();
    for (let tries = 1; reply.retry === true && tries < 20; tries += 1) reply = again();
    expect(reply).toMatchObject({ status: "OK", slot });
  });

  test("[D8] a server that has missed that a user became administrator serves their request, if it is asked for as of now", () => {
    const lagging = new Lagging();
    const { bia, operator: token } = lagging;
    lagging.cut();
    lagging.change("account", { user: "bia", administrator: true, token });
    const lock = { user: "ana", locked: true, token: bia };
    expect(lagging.ask("account", lock).reply).toMatchObject({ reason: "not_administrator" });
    const present = lagging.ask("account", { ...lock, consistency: "now" });
    lagging.heal();
    expect(lagging.reply(present)).toMatchObject({ status: "OK" });
  });

  test("a server answers `behind` if after one second it still lacks the change that the client has seen", () => {
    const lagging = new Lagging();
    lagging.cut();
    const password = lagging.change("password", newPassword);
    const startMs = lagging.scene.cluster.time.nowMs;
    const reply = lagging.reply(lagging.ask("users", password));
    expect(reply).toMatchObject({ code: "behind", retry: true });
    expect(lagging.scene.cluster.time.nowMs - startMs).toBeGreaterThanOrEqual(1_000);
  });

  test("a lagging server refuses an unauthorized request at once if the request lacks `after` or a valid session, or is for another user", () => {
    const lagging = new Lagging();
    lagging.cut();
    const { token, after } = lagging.change("password", newPassword);
    const { cluster } = lagging.scene;
    const nowMs = cluster.correctedMs(cluster.server(3));
    const session = { user: "ana", version: "of another time" };
    const ended = lagging.scene.token(session, { expiresMs: nowMs - 1 });
    const refused = [
      lagging.ask("users", { token }),
      lagging.ask("users", { after }),
      lagging.ask("users", { after, token: "of nobody" }),
      lagging.ask("users", { after, token: ended }),
      lagging.ask("history", { after, token: lagging.bia, user: "ana" }),
    ];
    expect(refused.map(({ reply }) => reply?.reason)).toEqual([
      "password_changed",
      "no_session",
      "session_unknown",
      "session_expired",
      "other_user",
    ]);
  });

  test("a waiting request of a locked account is refused after the server catches up; a registration whose `after` no server covers gets `behind`", () => {
    const lagging = new Lagging();
    const { bia, operator: token } = lagging;
    lagging.scene.ask("account", { user: "bia", locked: true, token });
    lagging.scene.cluster.runUntilEqual();
    lagging.cut();
    const password = lagging.change("password", newPassword);
    const question = lagging.ask("users", { token: bia, after: password.after });
    lagging.heal();
    expect(lagging.reply(question)).toMatchObject({ reason: "account_locked", retry: false });

    for (const server of lagging.scene.cluster.servers) server.hashMs = () => 200;
    const ahead = { [lagging.scene.server.name]: 1_000_000 };
    const claim = lagging.ask("register", { user: "eva", password: "eva's", after: ahead });
    lagging.change("registration", { mode: "closed", token });
    expect(lagging.reply(claim)).toMatchObject({ code: "behind" });
  });

  test("a request that waits for missing events counts against the rate limit of its user", () => {
    const pace = { perSecond: 0.1, burst: 1 };
    const lagging = new Lagging({ user: pace, connection: undefined });
    lagging.cut();
    const { token, after } = lagging.change("password", newPassword);
    const publish = { user: "ana", channel: "geral", message: "x", token, after };
    const one = lagging.ask("publish", publish);
    const other = lagging.ask("publish", publish);
    lagging.heal();
    expect(lagging.reply(one)).toMatchObject({ status: "OK" });
    expect(lagging.reply(other)).toMatchObject({ code: "rate_limited" });
  });
});

import { describe, expect, test } from "vitest";
import type { Receipt, ReplyData } from "../../../src/protocol/client-messages.ts";
import type { UserName } from "../../../src/protocol/ids.ts";
import { Scene } from "../../support/account-scene.ts";
import type { VirtualServer } from "../../support/virtual-server.ts";

const ana = "ana" as UserName;
const wrong = { code: "unauthenticated", reason: "password_wrong" };

/** Sends a copy of a password change to each server, 1 ms apart. @returns the replies */
function changeAtEach(scene: Scene, servers: readonly VirtualServer[], data: object) {
  const { cluster } = scene;
  const questions = servers.map((server) => {
    const question = cluster.ask(server, "password", { ...data });
    cluster.runFor(1);
    return question;
  });
  cluster.runUntil(() => questions.every(({ reply }) => reply !== undefined), "all are answered");
  return questions.map(({ reply }) => reply as ReplyData);
}

/** The `seq` of the event that the receipt names, or the slot of the decided operation. */
const placeOf = ({ entry, slot }: ReplyData) => (entry as Receipt | undefined)?.seq ?? slot;

describe("[R6] a change of an account that is requested twice takes effect once", () => {
  const change = { user: "ana", password: "ana's", newPassword: "new", id: "change" };

  test("two copies of a password change at one server get the same slot and the same grant", () => {
    const scene = new Scene();
    scene.user("ana");
    for (const server of scene.cluster.servers) server.hashMs = () => 40;
    const { server } = scene;
    const replies = changeAtEach(scene, [server, server], change);
    const [one, other] = replies as [ReplyData, ReplyData];
    expect(one).toMatchObject({ status: "OK" });
    expect(other).toMatchObject({
      status: "OK",
      slot: one.slot,
      grant: one.grant,
    });
    // A copy that comes after another password change gets the first receipt, too.
    scene.ask("password", { user: "ana", password: "new", newPassword: "newer" });
    expect(scene.ask("password", change)).toMatchObject({ slot: one.slot });
    expect(scene.ask("password", { ...change, newPassword: "a guess" })).toMatchObject(wrong);
    scene.login("ana", "newer");
  });

  test("if two copies of a password change reach two servers, the sessions that both servers grant stay valid", () => {
    const scene = new Scene();
    scene.user("ana");
    const { cluster } = scene;
    for (const server of cluster.servers) server.hashMs = () => 40;
    const replies = changeAtEach(scene, [cluster.server(1), cluster.server(2)], change);
    cluster.runUntilEqual();
    for (const { status, grant } of replies) {
      expect(status).toBe("OK");
      expect(scene.ask("users", { token: scene.token(grant) })).toMatchObject({ status: "OK" });
    }
  });

  test("an administrator's change takes effect only once, even if the same request arrives again after a later change", () => {
    const scene = new Scene();
    scene.user("ana");
    const { operator: token } = scene;
    const { accounts } = scene.server.core;
    const lock = { user: "ana", locked: true, id: "lock", token };
    const locked = scene.ask("account", lock);
    scene.ask("account", { user: "ana", locked: false, id: "unlock", token });
    expect(scene.ask("account", lock)).toMatchObject({
      status: "OK",
      slot: locked.slot,
    });
    expect(accounts.has("locked", ana)).toBe(false);

    const reset = { user: "ana", newPassword: "for now", id: "reset", token };
    scene.ask("account", reset);
    const session = scene.login("ana", "for now");
    expect(scene.ask("account", reset)).toMatchObject({ status: "OK" });
    expect(scene.ask("users", { token: session })).toMatchObject({ status: "OK" });

    const close = { mode: "closed", id: "close", token };
    scene.ask("registration", close);
    scene.ask("registration", { mode: "open", token });
    scene.ask("registration", close);
    expect(accounts.registration.mode).toBe("open");
  });
});

describe("[R6] a different change of an account under a used id is refused", () => {
  const reused = { status: "erro", code: "id_reused", retry: false };
  const change = { user: "ana", password: "ana's", newPassword: "new", id: "1" };

  test("a password change that reuses an id for a different new password gets id_reused only if the present password is right", () => {
    const scene = new Scene();
    scene.user("ana");
    scene.ask("password", change);
    const other = { ...change, password: "new", newPassword: "newer" };
    expect(scene.ask("password", other)).toMatchObject(reused);
    expect(scene.ask("password", { ...other, password: "a guess" })).toMatchObject(wrong);
    scene.login("ana", "new");
    expect(scene.ask("password", { ...other, id: "2" })).toMatchObject({ status: "OK" });
    expect(scene.ask("password", change)).toMatchObject({ status: "OK" });
    scene.login("ana", "newer");
  });

  test("a password change that reuses an id for a different new password is refused even while the first change is still being hashed", () => {
    const scene = new Scene();
    scene.user("ana");
    const { server, cluster } = scene;
    server.hashMs = () => 40;
    const copies = ["new", "other"].map((newPassword) => {
      return cluster.ask(server, "password", { ...change, newPassword });
    });
    cluster.runUntil(() => copies.every(({ reply }) => reply !== undefined), "both are answered");
    expect(copies.map(({ reply }) => reply?.status)).toEqual(["OK", "erro"]);
    scene.login("ana", "new");
  });

  test("an administrator's request with a used id and other content is refused, for accounts, passwords, registration and channels", () => {
    const scene = new Scene();
    scene.user("ana");
    const { operator: token } = scene;
    const { accounts } = scene.server.core;
    scene.ask("channel", { channel: "geral", user: "ana", token: scene.login("ana", "ana's") });
    const pairs = [
      ["account", { user: "ana", locked: true }, { user: "ana", locked: false }],
      ["account", { user: "ana", administrator: true }, { user: "ana", administrator: false }],
      ["account", { user: "ana", newPassword: "first" }, { user: "ana", newPassword: "second" }],
      ["registration", { mode: "closed" }, { mode: "open" }],
      ["removal", { channel: "geral", removed: true }, { channel: "geral", removed: false }],
    ] as const;
    for (const [at, [service, one, other]] of pairs.entries()) {
      const first = scene.ask(service, { ...one, id: `id ${at}`, token });
      const again = scene.ask(service, { ...one, id: `id ${at}`, token });
      expect(first).toMatchObject({ status: "OK" });
      expect(again).toMatchObject({ status: "OK" });
      expect(placeOf(again)).toBe(placeOf(first));
      expect(scene.ask(service, { ...other, id: `id ${at}`, token })).toMatchObject(reused);
    }
    const invite = { mode: "invitation", invitation: "a long invitation", id: "invite", token };
    scene.ask("registration", invite);
    expect(scene.ask("registration", invite)).toMatchObject({ status: "OK" });
    const another = { ...invite, invitation: "another invitation" };
    expect(scene.ask("registration", another)).toMatchObject(reused);
    expect(accounts.has("locked", ana)).toBe(true);
    scene.ask("account", { user: "ana", locked: false, token });
    scene.login("ana", "first");
  });
});

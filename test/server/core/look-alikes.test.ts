import { describe, expect, test } from "vitest";
import type { ChannelName, UserName } from "../../../src/protocol/ids.ts";
import type { Auth } from "../../../src/server/core/accounts/access.ts";
import { Scene } from "../../support/account-scene.ts";
import { coordinator } from "../../support/coordinators.ts";
import { CoreCluster, servingCluster } from "../../support/core-cluster.ts";

const likeCarlos = {
  "a capital letter": "Carlos",
  "a full-width letter": "\uff43arlos",
  "a mathematical letter": "\u{1d41c}arlos",
  "a digit 1 for a letter l": "car1os",
};
const likeCoco = "\u0441\u043e\u0441\u043e";
const odd = { "a Cyrillic letter": "c\u0430rlos", "an invisible character": "carlos\ufe0f" };

function started(auth: Auth): CoreCluster {
  const cluster = new CoreCluster({ servers: 3, auth });
  cluster.runUntilServing();
  coordinator(cluster);
  return cluster;
}

describe.each<Auth>(["open", "required"])("names that look alike, with auth %s", (auth) => {
  const register = (cluster: CoreCluster, at: number, user: string) => {
    return cluster.request(cluster.server(at), "register", { user, password: `${user}'s` });
  };

  test.each(Object.entries(likeCarlos))(
    "[D5] a name that differs from an account's name only by %s can't be registered",
    (_, name) => {
      const cluster = started(auth);
      expect(register(cluster, 1, "carlos")).toMatchObject({ status: "OK" });
      for (const at of [1, 2, 3]) {
        const refused = { code: "name_taken", reason: "name_confusable", retry: false };
        expect(register(cluster, at, name)).toMatchObject(refused);
      }
      // An equal name is taken, not confusable, so the error has no reason `name_confusable`.
      const again = cluster.request(cluster.server(2), "register", {
        user: "carlos",
        password: "x",
      });
      expect(again).toMatchObject({ code: "name_taken" });
      expect(again.reason).toBeUndefined();
    },
  );

  test("[D5] a Latin name that looks like an account's Cyrillic name can't be registered", () => {
    const cluster = started(auth);
    expect(register(cluster, 1, likeCoco)).toMatchObject({ status: "OK" });
    expect(register(cluster, 2, "coco")).toMatchObject({ code: "name_taken" });
  });

  test("[D5] of many concurrent registrations of look-alike names, exactly one wins, on every replica", () => {
    const cluster = started(auth);
    const names = ["carlos", ...Object.values(likeCarlos)];
    const asked = names.map((user, at) => {
      return cluster.ask(cluster.server(1 + (at % 3)), "register", { user, password: "x" });
    });
    cluster.runUntil(() => asked.every(({ reply }) => reply !== undefined), "all are answered");
    expect(asked.filter(({ reply }) => reply?.status === "OK")).toHaveLength(1);
    expect(asked.filter(({ reply }) => reply?.code === "name_taken")).toHaveLength(4);
    cluster.runUntilEqual();
    for (const { core } of cluster.servers) {
      const { accounts } = core;
      const owned = names.filter((name) => accounts.owner(name as UserName) !== undefined);
      expect(owned).toHaveLength(1);
    }
  });

  test.each(Object.entries(odd))(
    "[W14] a claim of a new name with %s gets name_invalid",
    (_, name) => {
      const cluster = started(auth);
      expect(register(cluster, 1, name)).toMatchObject({ code: "name_invalid", retry: false });
    },
  );
});

describe("[W14] names that a login or a channel's creation introduces", () => {
  test.each(Object.entries(odd))(
    "a new user or channel can't have a name with %s, but an existing user or channel with such a name stays usable",
    (_, name) => {
      const cluster = servingCluster(3);
      const server = cluster.server(1);
      const login = (user: string) => cluster.request(server, "login", { user });
      const create = (channel: string) => cluster.request(server, "channel", { channel });
      expect(login(name)).toMatchObject({ code: "name_invalid" });
      expect(create(name)).toMatchObject({ code: "name_invalid" });
      const { ledger, clock } = server.core;
      ledger.make("login", { user: name as UserName }, clock.value);
      ledger.make("channel", { channel: name as ChannelName }, clock.value);
      cluster.runUntilEqual();
      expect(login(name)).toMatchObject({ status: "sucesso" });
      expect(create(name)).toMatchObject({ code: "channel_exists" });
      const sent = { user: name, channel: name, message: "oi" };
      expect(cluster.request(server, "publish", sent)).toMatchObject({ status: "OK" });
      for (const one of cluster.servers) {
        cluster.kill(one);
        cluster.start(one);
      }
      cluster.runUntilServing();
      expect(login(name)).toMatchObject({ status: "sucesso" });
    },
  );

  test("a channel can't be created if its name looks like an existing channel's name", () => {
    const cluster = servingCluster(3);
    const create = (channel: string, id?: string) => {
      return cluster.request(cluster.server(2), "channel", { channel, id });
    };
    expect(create("Coco", "1")).toMatchObject({ status: "sucesso" });
    expect(create("Coco", "1")).toMatchObject({ status: "sucesso" });
    for (const name of ["coco", "C0co", "COCO", "\u0421\u043e\u0441\u043e"]) {
      const reply = create(name);
      expect(reply).toMatchObject({ code: "channel_exists", reason: "name_confusable" });
      expect(reply.description).toContain('"Coco"');
    }
  });

  test("in an open cluster nobody can register a name that equals or looks like a name in use", () => {
    const cluster = servingCluster(3);
    const server = cluster.server(1);
    const register = (user: string) => {
      return cluster.request(server, "register", { user, password: "x" });
    };
    expect(cluster.request(server, "login", { user: "Ana" })).toMatchObject({ status: "sucesso" });
    const refused = { code: "forbidden", reason: "name_in_use" };
    for (const name of ["ana", "Ana", "ANA"]) expect(register(name)).toMatchObject(refused);
    // With accounts a guest may not ask for `users`, so the error must not name the other user.
    expect(register("ANA").description).toMatch(
      /^The name "ANA", or one that looks like it, is in use/,
    );
  });
});

describe("[X2] accounts and look-alike names", () => {
  test("a log-in by a name that only looks like an account's name is refused even with the account's password", () => {
    const scene = new Scene();
    scene.user("carlos");
    for (const user of [...Object.values(likeCarlos), ...Object.values(odd)]) {
      expect(scene.ask("login", { user, password: "carlos's" })).toMatchObject({
        code: "unauthenticated",
        reason: "password_wrong",
      });
    }
    scene.login("carlos");
  });

  test("even an administrator can't make an account whose name looks like an existing account's", () => {
    const scene = new Scene();
    scene.user("carlos");
    const asked = { user: "Carlos", password: "x", token: scene.operator };
    expect(scene.ask("register", asked)).toMatchObject({ code: "name_taken" });
  });
});

import { describe, expect, test } from "vitest";
import { Scene } from "../../support/account-scene.ts";
import { coordinator } from "../../support/coordinators.ts";
import { CoreCluster, checkpointText } from "../../support/core-cluster.ts";

const inUse = { code: "forbidden", reason: "name_in_use", retry: false };
const passwordOf = (user: string) => `${user}'s`;

/** A cluster without accounts, until `close` restarts it with accounts. */
class OpenScene extends Scene {
  constructor() {
    super(undefined, "open");
  }

  register(user: string, server = this.server) {
    return this.ask("register", { user, password: passwordOf(user), id: `by ${user}` }, server);
  }

  use(user: string): void {
    expect(this.ask("login", { user })).toMatchObject({ status: "sucesso" });
  }

  close(): void {
    this.cluster.runUntilEqual();
    for (const server of this.cluster.servers) {
      this.cluster.kill(server);
      server.auth = "required";
    }
    for (const server of this.cluster.servers) this.cluster.start(server);
    this.cluster.runUntilServing();
    coordinator(this.cluster);
  }

  enter(user: string, password = passwordOf(user)) {
    return this.ask("login", { user, password });
  }
}

describe("[X2] a name registered while the cluster had no accounts", () => {
  test("once somebody has logged in by a name without a password, only an administrator can register the name", () => {
    const scene = new OpenScene();
    scene.use("ana");
    scene.cluster.runUntilEqual();
    for (const server of scene.cluster.servers) {
      expect(scene.register("ana", server)).toMatchObject(inUse);
    }
    scene.close();
    expect(scene.enter("ana")).toMatchObject({ code: "unauthenticated" });
    expect(scene.register("ana")).toMatchObject(inUse);
    const made = { user: "ana", password: passwordOf("ana"), token: scene.operator };
    expect(scene.ask("register", made)).toMatchObject({ status: "OK" });
    scene.cluster.runUntilEqual();
    scene.login("ana");
  });

  test("an account made in an open cluster is valid if nobody used the name without its password", () => {
    const scene = new OpenScene();
    expect(scene.register("eva")).toMatchObject({ status: "OK" });
    // A repeated claim succeeds too.
    expect(scene.register("eva")).toMatchObject({ status: "OK" });
    scene.close();
    scene.login("eva");
    scene.login("eva");
    const change = { user: "eva", password: passwordOf("eva"), newPassword: "new" };
    expect(scene.ask("password", change)).toMatchObject({ status: "OK" });
    scene.login("eva", "new");
  });

  test("an account whose name was used without its password gives no access until an administrator resets the password", () => {
    const scene = new OpenScene();
    expect(scene.register("eva")).toMatchObject({ status: "OK" });
    scene.use("eva");
    scene.use("bia");
    const message = { src: "bia", dst: "eva", message: "the door code is 4711" };
    expect(scene.ask("message", message)).toMatchObject({ status: "OK" });
    scene.close();
    expect(scene.enter("eva", "wrong")).toMatchObject({ code: "unauthenticated" });
    expect(scene.enter("eva")).toMatchObject(inUse);
    const change = { user: "eva", password: passwordOf("eva"), newPassword: "new" };
    expect(scene.ask("password", change)).toMatchObject(inUse);
    const reset = { user: "eva", newPassword: "by the administrator", token: scene.operator };
    expect(scene.ask("account", reset)).toMatchObject({ status: "OK" });
    expect(scene.enter("eva")).toMatchObject({ code: "unauthenticated" });
    scene.login("eva", "by the administrator");
  });

  test("an account whose name was used without its password gives no access after a restart from a saved state", () => {
    const scene = new OpenScene();
    expect(scene.register("eva")).toMatchObject({ status: "OK" });
    scene.use("eva");
    scene.cluster.runUntilEqual();
    for (const server of scene.cluster.servers) {
      scene.cluster.save(server);
      scene.cluster.runUntil(() => !server.isSaving, "it is saved");
    }
    scene.close();
    expect(scene.enter("eva")).toMatchObject(inUse);
    const texts = new Set(scene.cluster.servers.map(checkpointText));
    expect(texts.size).toBe(1);
  });

  test("an account made in a cluster with accounts stays valid even if the name is used while the cluster runs without accounts", () => {
    const scene = new Scene();
    scene.user("eva");
    const { cluster } = scene;
    for (const auth of ["open", "required"] as const) {
      cluster.runUntilEqual();
      for (const server of cluster.servers) cluster.kill(server);
      for (const server of cluster.servers) {
        server.auth = auth;
        cluster.start(server);
      }
      cluster.runUntilServing();
      if (auth === "open") scene.ask("login", { user: "eva" });
    }
    scene.login("eva");
  });
});

describe("[D9] a repeated registration", () => {
  const claim = (cluster: CoreCluster, at: number, password: string) => {
    const data = { user: "zoe", password, id: "1" };
    return cluster.request(cluster.server(at), "register", data);
  };

  function claimed(): CoreCluster {
    const cluster = new CoreCluster({ servers: 3 });
    cluster.runUntilServing();
    coordinator(cluster);
    expect(claim(cluster, 1, "the first one's")).toMatchObject({ status: "OK" });
    return cluster;
  }

  test("a repeated registration with another password gets name_taken from every server", () => {
    const cluster = claimed();
    for (const at of [1, 2, 3]) {
      expect(claim(cluster, at, "another's")).toMatchObject({ code: "name_taken", retry: false });
      expect(claim(cluster, at, "the first one's")).toMatchObject({ status: "OK" });
    }
  });

  test("of two concurrent registrations with the same id but different passwords, exactly one succeeds", () => {
    const cluster = claimed();
    for (let round = 1; round <= 20; round += 1) {
      const asked = ["a's", "b's"].map((password, at) => {
        const server = cluster.server(1 + ((round + at * (round % 2)) % 3));
        return cluster.ask(server, "register", { user: `leo${round}x`, password, id: "1" });
      });
      cluster.runUntil(() => asked.every(({ reply }) => reply !== undefined), "both are answered");
      const codes = asked.map(({ reply }) => reply?.code ?? reply?.status);
      expect(codes.sort()).toEqual(["OK", "name_taken"]);
    }
  });

  test("a client that repeats a registration with guessed passwords soon gets rate_limited", () => {
    const scene = new Scene();
    scene.ask("register", { user: "zoe", password: "zoe's", id: "1" });
    scene.cluster.runUntilEqual();
    const guess = (at: number) => {
      const data = { user: "zoe", password: `guess ${at}`, id: "1" };
      const payload = { service: "register", data };
      const asked = scene.cluster.askPayload(scene.server, payload, `wire ${at}`);
      scene.cluster.runUntil(() => asked.reply !== undefined, "a reply");
      return asked.reply?.code;
    };
    const codes = Array.from({ length: 20 }, (_, at) => guess(at));
    expect(codes[0]).toBe("name_taken");
    expect(codes.at(-1)).toBe("rate_limited");
    // The guesses here use up none of Zoe's attempts to log in.
    scene.login("zoe");
  });
});

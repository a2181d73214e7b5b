import { describe, expect, test } from "vitest";
import type { ReplyData, Service } from "../../../src/protocol/client-messages.ts";
import type { UserName } from "../../../src/protocol/ids.ts";
import { durations } from "../../../src/protocol/limits.ts";
import { services } from "../../../src/server/core/services.ts";
import { type Fields, Scene } from "../../support/account-scene.ts";
import { coordinator } from "../../support/coordinators.ts";
import { CoreCluster, checkpointText } from "../../support/core-cluster.ts";
import { deploy, tokenOf } from "../../support/hook-scene.ts";
import type { VirtualServer } from "../../support/virtual-server.ts";

describe("[X2] a login", () => {
  test("a login with a wrong password gets the same error as a login with an unknown name", () => {
    const scene = new Scene();
    scene.user("ana");
    const wrong = scene.ask("login", { user: "ana", password: "x" });
    const unknown = scene.ask("login", { user: "eva", password: "x" });
    expect(wrong).toMatchObject({ code: "unauthenticated", retry: false });
    expect(unknown.description).toBe(wrong.description);
    expect(scene.ask("login", { user: "ana" })).toMatchObject({ code: "unauthenticated" });
  });

  test("a login with a wrong password takes as long for an unknown name as for a known name", () => {
    const scene = new Scene();
    scene.user("ana");
    for (const server of scene.cluster.servers) server.hashMs = () => 40;
    const took = (user: string) => {
      const from = scene.cluster.time.nowMs;
      scene.ask("login", { user, password: "x" });
      return scene.cluster.time.nowMs - from;
    };
    expect(took("ana")).toBe(took("eva"));
  });

  test("a request without a session is refused with an error that says how to log in", () => {
    const scene = new Scene();
    const { code, description } = scene.ask("users");
    expect(code).toBe("unauthenticated");
    expect(description).toMatch(/token.*login.*password/);
  });

  test("a request whose password the machine fails to hash gets an error that allows a retry", () => {
    const scene = new Scene();
    scene.user("ana");
    scene.server.hashFails = true;
    const failed = { status: "erro", code: "internal", retry: true };
    expect(scene.ask("login", { user: "ana", password: "ana's" })).toMatchObject(failed);
    const claimed = scene.ask("register", { user: "bea", password: "bea's" });
    expect(claimed).toMatchObject(failed);
    scene.server.hashFails = false;
    scene.login("ana");
    scene.user("bea");
  });

  test("a login grants no session while the account is not decided", () => {
    const scene = new Scene();
    const { cluster } = scene;
    const first = coordinator(cluster);
    cluster.network.partition(
      [first.name],
      cluster.servers.filter((server) => server !== first).map(({ name }) => name),
    );
    cluster.ask(first, "register", { user: "eva", password: "eva's" });
    cluster.runUntil(() => first.core.log.open().length > 0, "proposed");
    const question = cluster.ask(first, "login", { user: "eva", password: "eva's" });
    cluster.runUntil(() => question.reply !== undefined, "a reply");
    expect(question.reply).toMatchObject({ status: "erro" });
  });

  test("a server renews a session whose token is old but valid, and refuses an expired token", () => {
    const scene = new Scene();
    scene.user("ana");
    const { version } = scene.server.core.accounts.credential("ana" as UserName) ?? {};
    const nowMs = scene.cluster.correctedMs(scene.server);
    const grant = { user: "ana", version };
    const used = scene.token(grant, { issuedMs: nowMs - durations.renewSessionMs - 1 });
    expect(scene.ask("users", { token: used })).toMatchObject({ status: "OK", grant });
    const ended = scene.token(grant, { expiresMs: nowMs - 1 });
    const reply = scene.ask("users", { token: ended });
    expect(reply).toMatchObject({ code: "unauthenticated" });
    expect(reply.description).toMatch(/ended.*log in again/);
    // Services that anybody may use do not check the session, and so do not renew it.
    const stale = { issuedMs: nowMs - 2 * durations.sessionMs, expiresMs: nowMs - 1 };
    const told = scene.ask("time", { token: scene.token(grant, stale) });
    expect(told).toMatchObject({ status: "OK" });
    expect(told.grant).toBeUndefined();
  });
});

describe("[X2] each service is only for those who may use it", () => {
  const [match, game] = ["0a1b2c3d4e5f6a7b", "game_0a1b2c3d"];
  const players = ["ana", "bia"].map((user) => ({ user, game }));
  const beginning = { rules: "duel", players, host: game };

  const requests: Record<Service, Fields> = {
    login: { user: "ana", password: "ana's" },
    register: { password: "x" },
    time: {},
    status: {},
    trace: { of: "a-1" },
    users: {},
    channels: {},
    channel: { channel: "neu", user: "ana" },
    publish: { user: "ana", channel: "geral", message: "x" },
    message: { src: "ana", dst: "bia", message: "x" },
    history: { user: "ana" },
    keys: { topics: ["#geral\0", "@ana\0"] },
    presence: { user: "ana", state: "online" },
    password: { user: "ana", password: "ana's", newPassword: "y" },
    account: { user: "bia", locked: false },
    registration: { mode: "open" },
    removal: { channel: "geral", removed: false },
    hook: { ...deploy, hookToken: tokenOf("new") },
    hooks: { user: "ana" },
    shop: { user: "ana" },
    cards: { user: "ana" },
    buy: { user: "ana", pack: "basic" },
    offer: { user: "ana", to: "bia", give: ["wolf-common-1"], want: ["lion-common-1"] },
    trade: { user: "ana", trade: 1, accept: true },
    deck: { user: "ana", cards: [1, 2, 3, 4, 5].map((copy) => `wolf-common-${copy}`) },
    supply: { pack: "basic" },
    matchBegin: { match, ...beginning, game },
    matchTerm: { match, term: 2, host: game, game },
    matchEnd: { match, term: 1, game },
    matchVoid: { match },
    match: { user: "bia" },
    matches: {},
    ranking: {},
    unhook: {},
    post: { hookToken: deploy.hookToken, message: "x" },
  };

  function furnish() {
    const scene = new Scene();
    const ana = scene.user("ana");
    const bia = scene.user("bia");
    scene.ask("channel", { channel: "geral", token: ana });
    const chief = scene.user("chief");
    scene.ask("account", { user: "chief", administrator: true, token: scene.operator });
    return { scene, ana, bia, chief, hook: scene.ask("hook", { ...deploy, token: ana }).hook };
  }

  test.each(Object.keys(services) as Service[])("%s refuses senders without rights", (service) => {
    const { scene, ana, bia, chief, hook } = furnish();
    const { for: whom, as, alsoForAdministrators } = services[service];
    let count = 0;
    const ask = (token?: string) => {
      count += 1;
      const user = service === "register" ? { user: `new${count}` } : {};
      return scene.ask(service, { hook, ...requests[service], ...user, token });
    };
    // The log has judged what these name: cards that nobody has, an offer and a match that nobody made.
    const judged = ["card_not_owned", "trade_not_found", "match_not_found"];
    const isServed = ({ status, code }: ReplyData) =>
      status !== "erro" || judged.includes(code as string);
    expect(isServed(ask(ana))).toBe(whom === "users" || whom === "anybody");
    if (service === "password") return;
    expect(isServed(ask(undefined))).toBe(whom === "anybody");
    expect(isServed(ask("forged"))).toBe(whom === "anybody");
    if (as !== undefined) expect(ask(bia)).toMatchObject({ code: "forbidden" });
    if (whom === "administrators") {
      expect(ask(ana)).toMatchObject({ code: "forbidden" });
      expect(isServed(ask(chief))).toBe(true);
      expect(isServed(ask(scene.operator))).toBe(true);
    } else if (whom === "members") {
      expect(ask(ana)).toMatchObject({ code: "forbidden" });
      expect(isServed(ask(chief))).toBe(alsoForAdministrators === true);
      expect(isServed(ask(scene.operator))).toBe(true);
    } else if (whom === "users" && alsoForAdministrators !== true) {
      expect(ask(scene.operator)).toMatchObject({ code: "forbidden" });
    }
  });

  test("a user gets topic keys only of channels and of their own private messages", () => {
    const { scene, ana } = furnish();
    const keys = (topic: string) => scene.ask("keys", { topics: [topic], token: ana });
    expect(keys("#geral\0").keys).toMatchObject({ "#geral\0": [{}, {}] });
    for (const topic of ["@bia\0", "#nowhere\0", "replication", "servers", "#geral"]) {
      expect(keys(topic)).toMatchObject({ code: "forbidden" });
    }
  });

  test("a cluster without accounts refuses the services for administrators", () => {
    const cluster = new CoreCluster({ servers: 1 });
    cluster.runUntilServing();
    const reply = cluster.request(cluster.server(1), "registration", { mode: "closed" });
    expect(reply).toMatchObject({ code: "forbidden" });
  });
});

describe("[X2] changes of an account", () => {
  test("a new password ends the user's older sessions on every server", () => {
    const scene = new Scene();
    const before = scene.user("ana");
    const change = { user: "ana", password: "ana's", newPassword: "new", id: "change" };
    const reply = scene.ask("password", change);
    expect(reply).toMatchObject({ status: "OK" });
    const after = scene.token(reply.grant);
    scene.cluster.runUntilEqual();
    for (const server of scene.cluster.servers) {
      expect(scene.ask("users", { token: before }, server)).toMatchObject({
        code: "unauthenticated",
      });
      expect(scene.ask("users", { token: after }, server)).toMatchObject({ status: "OK" });
    }
    expect(scene.ask("login", { user: "ana", password: "ana's" })).toMatchObject({
      status: "erro",
    });
    scene.login("ana", "new");
    // A repeated request gets the same grant as the first request.
    expect(scene.ask("password", change)).toMatchObject({ status: "OK", grant: reply.grant });
    expect(scene.ask("password", { ...change, id: "other" })).toMatchObject({ status: "erro" });
  });

  test("[R4] of two concurrent password changes, the same change wins on all replicas, and the session from before the changes ends", () => {
    const scene = new Scene();
    const session = scene.user("ana");
    const [a, b] = scene.cluster.servers as [VirtualServer, VirtualServer];
    const asked = [a, b].map((server, at) =>
      scene.cluster.ask(server, "password", {
        user: "ana",
        password: "ana's",
        newPassword: `new ${at}`,
      }),
    );
    scene.cluster.runUntil(() => asked.every(({ reply }) => reply !== undefined), "answered");
    scene.cluster.runUntilEqual();
    const right = ["new 0", "new 1"].filter((password) => {
      return scene.ask("login", { user: "ana", password }).status !== "erro";
    });
    expect(right).toHaveLength(1);
    expect(scene.ask("users", { token: session })).toMatchObject({ status: "erro" });
    const texts = scene.cluster.servers.map((server) => checkpointText(server));
    expect(new Set(texts).size).toBe(1);
  });

  test("a user with a locked account can neither log in nor use a session; after a password reset only the new password is valid", () => {
    const scene = new Scene();
    const ana = scene.user("ana");
    const { operator } = scene;
    scene.ask("account", { user: "ana", locked: true, token: operator });
    expect(scene.ask("users", { token: ana })).toMatchObject({ code: "forbidden" });
    const login = { user: "ana", password: "ana's" };
    expect(scene.ask("login", login)).toMatchObject({ code: "forbidden" });
    scene.ask("account", { user: "ana", locked: false, token: operator });
    expect(scene.ask("users", { token: ana })).toMatchObject({ status: "OK" });
    const reset = scene.ask("account", { user: "ana", newPassword: "reset", token: operator });
    // The administrator who resets the password gets no session of the user.
    expect(reset).toMatchObject({ status: "OK", grant: undefined });
    expect(scene.ask("users", { token: ana })).toMatchObject({ code: "unauthenticated" });
    expect(scene.ask("login", login)).toMatchObject({ code: "unauthenticated" });
    scene.login("ana", "reset");
    const nobody = { user: "nobody", locked: true, token: operator };
    expect(scene.ask("account", nobody)).toMatchObject({ code: "user_not_found" });
  });

  test("an administrator can close registration, or require an invitation", () => {
    const scene = new Scene();
    const register = (user: string, invitation?: string) =>
      scene.ask("register", { user, password: "x", invitation });
    const say = (fields: Fields) => scene.ask("registration", { ...fields, token: scene.operator });
    expect(say({ mode: "closed" })).toMatchObject({ status: "OK" });
    expect(register("ana")).toMatchObject({ code: "forbidden" });
    expect(say({ mode: "invitation", invitation: "a long secret" })).toMatchObject({
      status: "OK",
    });
    expect(register("ana")).toMatchObject({ code: "forbidden" });
    expect(register("ana", "another secret")).toMatchObject({ code: "forbidden" });
    expect(register("ana", "a long secret")).toMatchObject({ status: "OK" });
    expect(checkpointText(scene.server)).not.toContain("a long secret");
  });

  test("passwords, administrators and the registration mode survive a restart of all servers", () => {
    const scene = new Scene();
    scene.user("ana");
    const chief = scene.user("chief");
    scene.ask("account", { user: "chief", administrator: true, token: scene.operator });
    scene.ask("password", { user: "ana", password: "ana's", newPassword: "new" });
    scene.ask("registration", { mode: "closed", token: chief });
    scene.cluster.runUntilEqual();
    for (const server of scene.cluster.servers) scene.cluster.kill(server);
    for (const server of scene.cluster.servers) scene.cluster.start(server);
    scene.cluster.runUntilServing();
    scene.login("ana", "new");
    expect(scene.ask("account", { user: "ana", locked: true, token: chief })).toMatchObject({
      status: "OK",
    });
    expect(scene.ask("register", { user: "eva", password: "x" })).toMatchObject({
      code: "forbidden",
    });
  });
});

import { describe, expect, test } from "vitest";
import type { ReplyData } from "../../../src/protocol/client-messages.ts";
import type { ChannelName, UserName } from "../../../src/protocol/ids.ts";
import { durations, limits } from "../../../src/protocol/limits.ts";
import { Scene } from "../../support/account-scene.ts";
import type { VirtualServer } from "../../support/virtual-server.ts";

const ana = "ana" as UserName;
const wrong = { code: "unauthenticated", reason: "password_wrong" };

describe("[X2] attacks that are refused", () => {
  test("after a partition, an administrator's reset of a password wins over a thief's earlier changes on the other side", () => {
    const scene = new Scene();
    scene.user("ana");
    const { cluster } = scene;
    const servers = [...cluster.servers].sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const cutOff of servers) {
      const rest = servers.filter((server) => server !== cutOff);
      cluster.network.partition(
        [cutOff.name],
        rest.map(({ name }) => name),
      );
      const { hasNewPassword } = cutOff.core.accounts.owner(ana) ?? {};
      const password = hasNewPassword ? "by the administrator" : "ana's";
      // The thief changes the password twice, so the reset can't win by a higher number of changes.
      cluster.ask(cutOff, "password", { user: "ana", password, newPassword: "a thief's" });
      cluster.runFor(300);
      const next = { user: "ana", password: "a thief's", newPassword: "the thief's" };
      cluster.ask(cutOff, "password", next);
      cluster.runFor(300);
      const [first] = rest as [VirtualServer];
      for (let tick = 0; tick < 50; tick += 1) first.core.clock.tick();
      const data = { user: "ana", newPassword: "by the administrator", token: scene.operator };
      const question = cluster.ask(first, "account", data);
      cluster.runUntil(() => question.reply !== undefined, "it is answered");
      expect(question.reply).toMatchObject({ status: "OK" });
      cluster.network.heal();
      cluster.runUntilEqual();
      for (const one of servers) {
        expect(scene.ask("login", { user: "ana", password: "the thief's" }, one)).toMatchObject(
          wrong,
        );
        scene.login("ana", "by the administrator", one);
      }
      cluster.runFor(120_000);
    }
  });

  test("a guest who registers a user's name with the id of another operation of this user learns nothing of that operation", () => {
    const scene = new Scene();
    const { operator: token } = scene;
    scene.user("eva");
    const admin = scene.user("ana");
    scene.ask("account", { user: "ana", administrator: true, token });
    const lock = { user: "eva", locked: true, id: "1", token: admin };
    expect(scene.ask("account", lock)).toMatchObject({ status: "OK" });
    const guess = { user: "ana", password: "a guess", id: "1" };
    const taken = scene.ask("register", guess);
    expect(taken).toMatchObject({ code: "name_taken" });
    expect(taken.description).not.toContain("eva");
    expect(scene.ask("registration", { mode: "closed", token })).toMatchObject({ status: "OK" });
    const closed = { code: "forbidden", reason: "registration_closed" };
    expect(scene.ask("register", { ...guess, id: "another" })).toMatchObject(closed);
    expect(scene.ask("register", guess)).toMatchObject(closed);
  });

  test("only an administrator can register a name that was in use before the cluster had accounts", () => {
    const scene = new Scene();
    const { server, cluster, operator: token } = scene;
    const { ledger } = server.core;
    ledger.make("login", { user: "old" as UserName, id: undefined }, cluster.correctedMs(server));
    cluster.runUntilEqual();
    const asked = { user: "old", password: "old's" };
    const refused = { code: "forbidden", reason: "name_in_use" };
    expect(scene.ask("register", asked)).toMatchObject(refused);
    expect(scene.ask("register", { ...asked, token: scene.user("eva") })).toMatchObject(refused);
    expect(scene.ask("register", { ...asked, token })).toMatchObject({ status: "OK" });
    cluster.runUntilEqual();
    scene.login("old");
  });

  test("a connection that guesses too many invitations gets rate_limited", () => {
    const scene = new Scene();
    const { operator: token } = scene;
    scene.ask("registration", { mode: "invitation", invitation: "tertulia2026", token });
    const codes = Array.from({ length: 3 * limits.connectionAttempts }, (_, number) => {
      const invitation = `tertulia${number}`.padEnd(12, "0");
      return scene.ask("register", { user: `eva${number}`, password: "x", invitation }).code;
    });
    expect(codes[0]).toBe("forbidden");
    expect(codes.at(-1)).toBe("rate_limited");
  });

  test("guesses of invitations are limited across all connections, and the answer rate_limited does not show whether the guess was right", () => {
    const scene = new Scene();
    const { operator: token, cluster, server } = scene;
    scene.ask("registration", { mode: "invitation", invitation: "tertulia2026", token });
    const ask = (user: string, invitation: string | undefined, connection: string) => {
      const data = { user, password: "x", invitation };
      const question = cluster.askPayload(server, { service: "register", data }, connection);
      cluster.runUntil(() => question.reply !== undefined, "an answer");
      return question.reply as ReplyData;
    };
    const guess = (at: number) => ask("eva", `tertulia${at}`.padEnd(12, "0"), `wire ${at}`);
    // Right invitations, and requests without an invitation, use up no guesses.
    for (let at = 0; at < limits.invitationGuesses; at += 1) {
      expect(ask(`leo${at}`, "tertulia2026", `his wire ${at}`).status).toBe("OK");
      expect(ask("eva", undefined, `her wire ${at}`).code).toBe("forbidden");
    }
    const startMs = cluster.time.nowMs;
    const codes = Array.from({ length: 300 }, (_, at) => guess(at).code);
    const judged = codes.filter((code) => code === "forbidden").length;
    const seconds = (cluster.time.nowMs - startMs) / 1_000;
    expect(judged).toBeGreaterThanOrEqual(limits.invitationGuesses);
    expect(judged).toBeLessThanOrEqual(limits.invitationGuesses + 2 * seconds + 1);
    // Once guesses are limited, a right invitation gets `rate_limited` like a wrong one. It is
    // accepted after the wait.
    const told = ask("bia", "tertulia2026", "a quiet wire");
    expect(told).toMatchObject({ code: "rate_limited", retry: true });
    cluster.runFor(1_000 * Number(told.wait));
    expect(ask("bia", "tertulia2026", "a quiet wire").status).toBe("OK");
    // An administrator's requests are not limited.
    expect(scene.ask("register", { user: "ana", password: "x", token }).status).toBe("OK");
  });

  test("a client that invents a vector gets no more guesses at an invitation than the limit allows", () => {
    const scene = new Scene();
    const { operator: token, cluster, server } = scene;
    const ana = scene.user("ana");
    scene.ask("registration", { mode: "invitation", invitation: "tertulia2026", token });
    const after = { [server.name]: 1_000_000 };
    for (const session of [{}, { token: ana }]) {
      const codes = Array.from({ length: 3 * limits.invitationGuesses }, (_, at) => {
        const invitation = `tertulia${at}`.padEnd(12, "0");
        const data = { user: "eva", password: "x", invitation, after, ...session };
        const payload = { service: "register", data };
        return cluster.askPayload(server, payload, `${data.token} wire ${at}`);
      });
      cluster.runUntil(() => codes.every(({ reply }) => reply !== undefined), "answers");
      const judged = codes.filter(({ reply }) => reply?.code === "behind");
      expect(judged.length).toBeLessThanOrEqual(limits.invitationGuesses);
      expect(codes.at(-1)?.reply).toMatchObject({ code: "rate_limited" });
      cluster.runFor(limits.invitationGuesses * durations.invitationGuessMs);
    }
  });

  test("requests to register a user's name use up none of that user's attempts to log in", () => {
    const scene = new Scene();
    scene.user("ana");
    const { cluster, server, operator: token } = scene;
    const ask = (service: string, data: object, connection: string) => {
      const question = cluster.askPayload(server, { service, data }, connection);
      cluster.runUntil(() => question.reply !== undefined, "an answer");
      return question.reply?.code;
    };
    const claim = (at: number) => {
      const data = { user: "ana", password: "x", invitation: `tertulia${at}`.padEnd(12, "0") };
      return ask("register", data, `wire ${at}`);
    };
    const count = 2 * limits.accountAttempts;
    const claims = () => new Set(Array.from({ length: count }, (_, at) => claim(at)));
    expect(claims()).toEqual(new Set(["name_taken"]));
    scene.ask("registration", { mode: "closed", token });
    expect(claims()).toEqual(new Set(["forbidden"]));
    scene.ask("registration", { mode: "invitation", invitation: "tertulia2026", token });
    expect(claims()).toEqual(new Set(["forbidden"]));
    expect(ask("login", { user: "ana", password: "ana's" }, "her wire")).toBeUndefined();
  });

  test("requests without a user's token use up nothing of that user's rate", () => {
    const scene = new Scene({ user: { perSecond: 1, burst: 5 }, connection: undefined });
    const token = scene.user("ana");
    scene.ask("channel", { channel: "geral", token });
    const publish = { user: "ana", channel: "geral", message: "x" };
    for (let count = 0; count < 50; count += 1) scene.ask("publish", publish);
    expect(scene.ask("publish", { ...publish, token })).toMatchObject({ status: "OK" });
    const codes = Array.from({ length: 10 }, (_, number) => {
      return scene.ask("channel", { channel: `channel${number}`, token }).code;
    });
    expect(codes).toContain("rate_limited");
  });

  test("if a request to create a channel has no `user`, the session's user creates the channel", () => {
    const scene = new Scene();
    const [first, second] = [scene.user("ana"), scene.user("bia")];
    expect(scene.ask("channel", { channel: "geral", token: first, id: "1" })).toMatchObject({
      status: "sucesso",
    });
    expect(scene.ask("channel", { channel: "geral", token: second, id: "1" })).toMatchObject({
      code: "channel_exists",
    });
    const { channels } = scene.server.core.chat;
    const creations = channels.get("geral" as ChannelName)?.creations.slice() ?? [];
    expect(creations.map(({ user }) => user)).toEqual(["ana"]);
  });

  test("a waiting request is refused if its user is locked before the wait is over", () => {
    const scene = new Scene();
    const { cluster, server } = scene;
    const token = scene.user("ana");
    // The request waits for the decision that locks its user.
    const after = { slot: server.core.log.applied + 1 };
    const question = cluster.ask(server, "channels", { token, after });
    scene.ask("account", { user: "ana", locked: true, token: scene.operator });
    cluster.runUntil(() => question.reply !== undefined, "it is answered");
    expect(question.reply).toMatchObject({ code: "forbidden", reason: "account_locked" });
  });

  test.each([
    ["resets a password", "account", { user: "bia", newPassword: "by a thief" }],
    ["makes an account", "register", { user: "leo", password: "leo's" }],
  ])(
    "if an administrator %s but is locked or demoted while the new password is hashed, the request is refused",
    (_, service, change) => {
      for (const flag of [{ locked: true }, { administrator: false }]) {
        const scene = new Scene();
        scene.user("bia");
        const token = scene.user("chief");
        const { cluster, server, operator } = scene;
        scene.ask("account", { user: "chief", administrator: true, token: operator });
        scene.ask("registration", { mode: "closed", token: operator });
        server.hashMs = () => 500;
        const question = cluster.ask(server, service, { ...change, token });
        cluster.runFor(50);
        expect(scene.ask("account", { user: "chief", ...flag, token: operator })).toMatchObject({
          status: "OK",
        });
        expect(question.reply).toBeUndefined();
        cluster.runUntil(() => question.reply !== undefined, "it is answered");
        expect(question.reply).toMatchObject({ code: "forbidden" });
        cluster.runFor(3_000);
        expect(server.core.accounts.owner("leo" as UserName)).toBeUndefined();
        scene.login("bia");
      }
    },
  );

  test("the clock of a logged-in user raises the server's clock; the clock of a guest or of an ended session does not", () => {
    const scene = new Scene();
    const { server, cluster } = scene;
    const token = scene.user("ana");
    const ahead = () => server.core.clock.value + 500_000;
    const [guests, users] = [ahead(), ahead() + 10_000];
    const expired = scene.token({ user: "ana" }, { expiresMs: cluster.correctedMs(server) - 1 });
    scene.user("bia");
    const locked = scene.login("bia");
    scene.ask("account", { user: "bia", locked: true, token: scene.operator });
    for (const guest of [undefined, "forged", expired, locked]) {
      scene.ask("time", { clock: guests, token: guest });
      expect(server.core.clock.value).toBeLessThan(guests);
    }
    scene.ask("users", { clock: users, token });
    expect(server.core.clock.value).toBeGreaterThan(users);
    cluster.runUntilEqual();
  });

  test("in an array of `keys` requests, those whose keys no longer fit into the reply get too_large", () => {
    const scene = new Scene();
    const token = scene.user("ana");
    scene.ask("channel", { channel: "geral", token });
    const { cluster, server } = scene;
    const topics = Array.from({ length: limits.keysTopics }, () => "#geral\0");
    const requests = Array.from({ length: 30 }, () => ({
      service: "keys",
      data: { token, topics },
    }));
    const question = cluster.askPayload(server, requests);
    cluster.runUntil(() => question.replies !== undefined, "they are answered");
    const codes = question.replies?.map(({ data }) => data.code) ?? [];
    expect(codes[0]).toBeUndefined();
    expect(codes.at(-1)).toBe("too_large");
  });
});

import { describe, expect, test } from "vitest";
import type { ReplyData } from "../../../src/protocol/client-messages.ts";
import { limits } from "../../../src/protocol/limits.ts";
import { Scene } from "../../support/account-scene.ts";

describe("[X4] limits on the rate of requests", () => {
  test("logins above the limit of an account, or of a connection, get rate_limited", () => {
    const scene = new Scene();
    scene.user("ana");
    const guess = (user: string, connection: string) => {
      const asked = scene.cluster.askPayload(
        scene.server,
        { service: "login", data: { user, password: "x" } },
        connection,
      );
      scene.cluster.runUntil(() => asked.reply !== undefined, "a reply");
      return asked.reply as ReplyData;
    };
    const burst = limits.accountAttempts;
    const codes = Array.from({ length: burst + 2 }, (_, at) => guess("ana", `wire ${at}`));
    expect(codes.at(-1)).toMatchObject({ code: "rate_limited", retry: true });
    expect(codes.at(-1)?.wait).toBeGreaterThan(0);
    // The limit of one account affects no other account. A connection has a limit for all accounts
    // together.
    expect(guess("eva", "elsewhere")).toMatchObject({ code: "unauthenticated" });
    const many = Array.from({ length: 2 * limits.connectionAttempts }, (_, at) =>
      guess(`user${at}`, "one wire"),
    );
    expect(many.at(-1)).toMatchObject({ code: "rate_limited" });
  });

  test("publications of one user, and requests of one connection, get rate_limited above their limits", () => {
    const pace = { perSecond: 2, burst: 4 };
    const scene = new Scene({ user: pace, connection: { perSecond: 100, burst: 100 } });
    const ana = scene.user("ana");
    scene.ask("channel", { channel: "geral", token: ana });
    const send = () =>
      scene.ask("publish", { user: "ana", channel: "geral", message: "x", token: ana });
    const replies = Array.from({ length: 6 }, send);
    expect(replies.at(0)).toMatchObject({ status: "OK" });
    const refused = replies.at(-1);
    expect(refused).toMatchObject({ code: "rate_limited", retry: true });
    scene.cluster.runFor(1_000 * Number(refused?.wait));
    expect(send()).toMatchObject({ status: "OK" });
    const asked = Array.from({ length: 200 }, () => scene.cluster.ask(scene.server, "time"));
    expect(asked.some(({ reply }) => reply?.code === "rate_limited")).toBe(true);
  });
});

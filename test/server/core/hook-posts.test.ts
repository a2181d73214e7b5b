import { describe, expect, test } from "vitest";
import type { Receipt } from "../../../src/protocol/client-messages.ts";
import { limits } from "../../../src/protocol/limits.ts";
import { CoreCluster } from "../../support/core-cluster.ts";
import { deploy, furnish, gone, tokenOf } from "../../support/hook-scene.ts";
import type { VirtualServer } from "../../support/virtual-server.ts";

const posted = { hookToken: deploy.hookToken, message: "x" };

describe("[Q16] a post that is refused", () => {
  test("[Q16] a hook of a locked owner writes nothing until the owner is unlocked", () => {
    const { scene, make, post } = furnish();
    make();
    const lock = (locked: boolean) =>
      scene.ask("account", { user: "ana", locked, token: scene.operator });
    lock(true);
    expect(post("x")).toMatchObject({ code: "forbidden", reason: "account_locked" });
    lock(false);
    expect(post("x")).toMatchObject({ status: "OK" });
  });

  test("[Q16] [A10] a hook of a removed channel writes nothing until the channel is restored", () => {
    const { scene, make, post } = furnish();
    make();
    const remove = (removed: boolean) =>
      scene.ask("removal", { channel: "geral", removed, token: scene.operator });
    remove(true);
    expect(post("x")).toMatchObject({ code: "channel_not_found" });
    remove(false);
    expect(post("x")).toMatchObject({ status: "OK" });
  });

  test.each(["", "x".repeat(200), "\ud800", "0a".repeat(16)])(
    "[Q16] a post with the unknown token %j gets hook_not_found",
    (hookToken) => {
      const { post } = furnish();
      expect(post("x", { hookToken })).toMatchObject(gone);
    },
  );

  test("[Q16] [R9] a post whose sender has seen the hook waits at a server that lacks the hook", () => {
    const cluster = new CoreCluster({ servers: 3 });
    cluster.runUntilServing();
    const [first, second, third] = cluster.servers as [VirtualServer, VirtualServer, VirtualServer];
    cluster.request(first, "login", { user: "ana" });
    cluster.request(first, "channel", { channel: "geral" });
    cluster.runUntilEqual();
    cluster.network.partition([first.name, second.name], [third.name]);
    const made = cluster.request(first, "hook", deploy).entry as Receipt;
    const after = { [made.server]: made.seq };
    const question = cluster.ask(third, "post", { ...posted, after });
    cluster.runFor(100);
    expect(question.reply).toBeUndefined();
    expect(cluster.request(third, "post", posted)).toMatchObject(gone);
    cluster.network.heal();
    cluster.runUntil(() => question.reply !== undefined, "a reply");
    expect(question.reply).toMatchObject({ status: "OK" });
  });

  test("[Q16] a hook's id is no token", () => {
    const { make, post } = furnish();
    const { hook } = make();
    expect(post("x", { hookToken: hook })).toMatchObject(gone);
  });

  test("[Q16] a post that is empty or too long is refused as a publication is", () => {
    const { make, post } = furnish();
    make();
    expect(post("")).toMatchObject({ code: "bad_request" });
    expect(post("x".repeat(limits.messageCharacters + 1))).toMatchObject({ code: "too_large" });
  });

  test("[A9] a post counts for its owner's pace", () => {
    const pace = { user: { perSecond: 1, burst: 5 }, connection: undefined };
    const { scene, ana, make, post } = furnish(pace);
    make();
    const statuses = Array.from({ length: 10 }, () => post("x").code);
    expect(statuses).toContain("rate_limited");
    const own = { user: "ana", channel: "geral", message: "x", token: ana };
    expect(scene.ask("publish", own)).toMatchObject({ code: "rate_limited" });
  });

  test("[A9] a leaked token keeps the hook's owner neither from writing nor from revoking the hook", () => {
    const pace = { user: { perSecond: 20, burst: 100 }, connection: undefined };
    const { scene, ana, make, post } = furnish(pace);
    const { hook } = make();
    const flood = Array.from({ length: 200 }, () => post("spam"));
    expect(flood.filter(({ status }) => status === "OK").length).toBeLessThan(100);
    expect(flood.at(-1)).toMatchObject({ code: "rate_limited", wait: expect.any(Number) });
    const own = { user: "ana", channel: "geral", message: "x", token: ana };
    expect(scene.ask("publish", own)).toMatchObject({ status: "OK" });
    make({ name: "alert", hookToken: tokenOf("alert") });
    expect(post("x", { hookToken: tokenOf("alert") })).toMatchObject({ status: "OK" });
    scene.cluster.runFor(1_000);
    expect(post("x")).toMatchObject({ status: "OK" });
    const unhook = () => scene.ask("unhook", { hook, token: ana });
    const owns = Array.from({ length: 200 }, () => scene.ask("publish", own));
    expect(owns.at(-1)).toMatchObject({ code: "rate_limited" });
    expect(unhook()).toMatchObject({ status: "OK" });
  });

  test("[A9] wrong tokens of one connection are limited, and a right token over it still writes", () => {
    const { make, post } = furnish();
    make();
    const wrong = Array.from({ length: 25 }, (_, n) => post("x", { hookToken: tokenOf(`w${n}`) }));
    const codes = wrong.map(({ code }) => code);
    expect(codes.slice(0, limits.hookGuesses)).toEqual(
      Array(limits.hookGuesses).fill("hook_not_found"),
    );
    expect(codes.at(-1)).toBe("rate_limited");
    expect(wrong.at(-1)?.wait).toBeGreaterThan(0);
    expect(post("x")).toMatchObject({ status: "OK" });
  });
});

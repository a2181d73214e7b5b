import { describe, expect, test, vi } from "vitest";
import { digest } from "../../../src/platform/digest.ts";
import type { ListedHook, ReplyData } from "../../../src/protocol/client-messages.ts";
import type {
  Chain,
  ChannelName,
  HookId,
  HookName,
  RequestId,
  UserName,
} from "../../../src/protocol/ids.ts";
import { limits } from "../../../src/protocol/limits.ts";
import type { Fields } from "../../support/account-scene.ts";
import { CoreCluster, checkpointText } from "../../support/core-cluster.ts";
import { deploy, furnish, gone, tokenOf } from "../../support/hook-scene.ts";

const listed = (reply: ReplyData) => reply.hooks as ListedHook[];

describe("[Q15] a hook", () => {
  test("[Q15] [Q16] a hook writes to its channel with its own name, in the name of its owner, at every server", () => {
    const { scene, make, post, entries } = furnish();
    expect(make()).toMatchObject({ status: "OK", hook: expect.stringMatching(/^[0-9a-f]{32}$/) });
    for (const server of scene.cluster.servers) {
      const data = { hookToken: deploy.hookToken, message: `from ${server.name}` };
      expect(scene.ask("post", data, server)).toMatchObject({ status: "OK" });
    }
    expect(post("again")).toMatchObject({ status: "OK" });
    scene.cluster.runUntilEqual();
    const texts = scene.cluster.servers.map(({ name }) => ["ana", "deploy", `from ${name}`]);
    expect(entries()).toEqual([...texts, ["ana", "deploy", "again"]]);
  });

  test("[Q15] a hook is in force at every server when the request for it is answered, even if that request has `after`", () => {
    const { scene, make } = furnish();
    expect(make({ after: {} })).toMatchObject({ status: "OK" });
    for (const server of scene.cluster.servers) {
      const data = { hookToken: deploy.hookToken, message: "x" };
      expect(scene.ask("post", data, server)).toMatchObject({ status: "OK" });
    }
  });

  test("[Q15] servers keep the hash of a token, and never the token itself", () => {
    const { scene, make, post } = furnish();
    make();
    post("x");
    scene.cluster.runUntilEqual();
    scene.cluster.save(scene.server);
    scene.cluster.runUntil(() => scene.server.disk.saved !== undefined, "a checkpoint");
    const texts = [checkpointText(scene.server), scene.server.disk.journal];
    expect(JSON.stringify(texts)).not.toContain(deploy.hookToken);
    expect(
      JSON.stringify(listed(scene.ask("hooks", { user: "ana", token: scene.operator }))),
    ).not.toContain(deploy.hookToken);
  });

  test.each(["short", "x".repeat(42), "x".repeat(129), `${"x".repeat(50)}/`, 7])(
    "[Q15] a hook with the token %j is refused",
    (hookToken) => {
      const { make } = furnish();
      expect(make({ hookToken })).toMatchObject({ code: "bad_request" });
    },
  );

  test.each([
    ["a space", "de ploy"],
    ["a parenthesis", "bia(via"],
    ["an invisible character", "dep\u2060loy"],
    ["letters of two scripts that look alike", "dеploy"],
    ["nothing", ""],
  ])("[Q15] a hook whose name has %s is refused", (_, name) => {
    const { make } = furnish();
    expect(make({ name })).toMatchObject({ code: "name_invalid" });
  });

  test("[Q15] a hook for a channel or a user that does not exist is refused", () => {
    const { make } = furnish();
    expect(make({ channel: "nowhere" })).toMatchObject({ code: "channel_not_found" });
    const open = new CoreCluster({ servers: 1 });
    open.runUntilServing();
    open.request(open.server(1), "channel", { channel: "geral" });
    expect(open.request(open.server(1), "hook", deploy)).toMatchObject({ code: "user_not_found" });
  });

  test("[A12] a user has at most 20 hooks, and can make another one after a revocation", () => {
    const { scene, ana, make } = furnish();
    const make20 = Array.from({ length: limits.userHooks }, (_, n) => {
      return make({ hookToken: tokenOf(`t${n}`) });
    });
    expect(make20.every(({ status }) => status === "OK")).toBe(true);
    const more = () => make({ hookToken: tokenOf("more") });
    expect(more()).toMatchObject({ code: "forbidden", reason: "too_many_hooks" });
    scene.ask("unhook", { hook: make20[0]?.hook, token: ana });
    expect(more()).toMatchObject({ status: "OK" });
  });

  test("[A12] after 1,000 hooks a user can make no more, even if all are revoked", () => {
    const { scene, make } = furnish();
    const { chat } = scene.server.core;
    const placed = { server: scene.server.name, clock: 1, time: 1, id: undefined };
    for (let n = 1; n <= limits.userHooksMade; n += 1) {
      const hook = n.toString(16).padStart(32, "0") as never;
      const by = "ana" as UserName;
      chat.hooks.add({ ...deploy, hook, by, isProven: true, seq: n, ...placed } as never);
      chat.hooks.revocations.add(hook, { hook, by, seq: n, ...placed });
    }
    expect(make()).toMatchObject({ code: "forbidden", reason: "too_many_hooks" });
  });

  test("[A12] the bounds of hooks hold in an open cluster too, and its hooks do not count towards them once it has accounts", () => {
    const open = new CoreCluster({ servers: 1 });
    open.runUntilServing();
    const ask = (service: string, data: Fields) => open.request(open.server(1), service, data);
    ask("login", { user: "ana" });
    ask("channel", { channel: "geral" });
    const makeOpen = (n: number) => ask("hook", { ...deploy, hookToken: tokenOf(`t${n}`) });
    for (let n = 1; n <= limits.userHooks; n += 1) makeOpen(n);
    expect(makeOpen(0)).toMatchObject({ code: "forbidden", reason: "too_many_hooks" });
    expect(listed(ask("hooks", { user: "ana" }))).toHaveLength(limits.userHooks);

    const { scene, make } = furnish();
    const placed = { server: scene.server.name, clock: 1, time: 1, id: undefined };
    for (let n = 1; n <= limits.userHooksMade; n += 1) {
      const hook = n.toString(16).padStart(32, "0") as never;
      const event = { ...deploy, hook, by: "ana", seq: n, ...placed };
      scene.server.core.chat.hooks.add(event as never);
    }
    expect(make()).toMatchObject({ status: "OK" });
  });

  test("[Q15] a request id finds its hook without a look at the user's other hooks", () => {
    const { scene } = furnish();
    const { hooks } = scene.server.core.chat;
    const by = "bia" as UserName;
    const ids = Array.from({ length: 1_000 }, (_, n) => `request ${n}` as RequestId);
    for (const [n, id] of ids.entries()) {
      const hook = n.toString(16).padStart(32, "0") as never;
      hooks.add({ ...deploy, hook, by, id, server: "s", seq: n + 1, clock: 1, time: 1 } as never);
    }
    const looks = vi.spyOn(hooks.made, "asked");
    for (const [n, id] of ids.slice(0, 10).entries()) {
      const found = hooks.asked({ id, by }).map(({ hook }) => Number.parseInt(hook, 16));
      expect(found).toEqual([n]);
    }
    expect(looks).toHaveBeenCalledTimes(10);
    expect(hooks.asked({ id: "other" as RequestId, by })).toEqual([]);
    expect(hooks.asked({ id: ids[0], by: "ana" as UserName })).toEqual([]);
  });

  test("[A12] a hook that was made while the cluster was open does not write once the cluster has accounts", () => {
    const { scene, ana, post } = furnish();
    const { ledger } = scene.server.core;
    const { hook } = scene.ask("hook", { ...deploy, hookToken: tokenOf("x"), token: ana });
    const id = scene.server.core.chat.hooks.madeBy("ana" as UserName)[0]?.hook;
    expect(id).toBe(hook);
    // The event of an open cluster lacks `isProven`.
    const open = digest.chain("" as Chain, deploy.hookToken) as string as HookId;
    const data = { hook: open, channel: "geral" as ChannelName, name: "deploy" as HookName };
    ledger.make("hook", { ...data, by: "ana" as UserName }, scene.cluster.time.nowMs);
    expect(listed(scene.ask("hooks", { user: "ana", token: ana }))).toHaveLength(1);
    expect(post("x")).toMatchObject(gone);
  });
});

describe("[R6] a repeated request about hooks", () => {
  test("[R6] [Q15] a repeated request makes one hook, and gets its receipt, also at another server", () => {
    const { scene, ana, make } = furnish();
    const first = make({ id: "a" });
    scene.cluster.runUntilEqual();
    const data = { ...deploy, token: ana, id: "a" };
    const again = scene.ask("hook", data, scene.cluster.server(2));
    const event = ({ entry }: ReplyData) => (entry as { seq: number; server: string }).seq;
    expect(event(again)).toBe(event(first));
    expect(make({ id: "a", name: "other" })).toMatchObject({ code: "id_reused" });
    expect(make({ id: "a", hookToken: tokenOf("other") })).toMatchObject({ code: "id_reused" });
    expect(make({ id: "b" })).toMatchObject({ code: "id_reused" });
    expect(listed(scene.ask("hooks", { user: "ana", token: ana }))).toHaveLength(1);
  });

  test("[R6] [Q17] a request for a hook that is repeated after the revocation gets id_reused, at every server", () => {
    const { scene, ana, make } = furnish();
    const { hook } = make({ id: "a" });
    scene.ask("unhook", { hook, token: ana });
    scene.cluster.runUntilEqual();
    for (const server of scene.cluster.servers) {
      const again = scene.ask("hook", { ...deploy, token: ana, id: "a" }, server);
      expect(again).toMatchObject({ code: "id_reused" });
    }
  });

  test("[R6] [A12] a repeated request for a hook that was made while the cluster was open gets id_reused", () => {
    const { scene, make } = furnish();
    const hook = digest.chain("" as Chain, deploy.hookToken) as string as HookId;
    const data = { hook, channel: "geral" as ChannelName, name: "deploy" as HookName };
    const by = { by: "ana" as UserName, id: "a" as RequestId };
    scene.server.core.ledger.make("hook", { ...data, ...by }, scene.cluster.time.nowMs);
    expect(make({ id: "a" })).toMatchObject({ code: "id_reused" });
  });

  test("[R6] [Q16] a repeated post takes effect once, and another text under its id is refused", () => {
    const { make, post, entries } = furnish();
    make();
    const first = post("up", { id: "1" });
    expect(post("up", { id: "1" })).toMatchObject({
      status: "OK",
      entry: { seq: (first.entry as { seq: number }).seq },
    });
    expect(post("down", { id: "1" })).toMatchObject({ code: "id_reused" });
    expect(entries()).toHaveLength(1);
  });

  test("[R6] [Q16] the ids of two hooks, and of their owner, are independent", () => {
    const { scene, ana, make, post, entries } = furnish();
    make();
    make({ name: "alert", hookToken: tokenOf("alert") });
    post("one", { id: "1" });
    post("one", { id: "1", hookToken: tokenOf("alert") });
    scene.ask("publish", { user: "ana", channel: "geral", message: "one", id: "1", token: ana });
    scene.cluster.runUntilEqual();
    expect(entries()).toEqual([
      ["ana", "deploy", "one"],
      ["ana", "alert", "one"],
      ["ana", undefined, "one"],
    ]);
  });

  test("[R6] [Q17] a repeated revocation gets the first one's receipt", () => {
    const { scene, ana, make } = furnish();
    const { hook } = make();
    const first = scene.ask("unhook", { hook, token: ana, id: "r" });
    expect(scene.ask("unhook", { hook, token: ana, id: "r" })).toMatchObject({
      status: "OK",
      entry: { seq: (first.entry as { seq: number }).seq },
    });
    expect(scene.ask("unhook", { hook, token: ana })).toMatchObject(gone);
  });
});

describe("[Q17] the revocation and the list of hooks", () => {
  test("[Q17] a revoked hook writes no more, at any server, and is no longer listed", () => {
    const { scene, ana, make, post } = furnish();
    const { hook } = make();
    expect(scene.ask("unhook", { hook, token: ana, after: {} })).toMatchObject({ status: "OK" });
    for (const server of scene.cluster.servers) {
      const data = { hookToken: deploy.hookToken, message: "x" };
      expect(scene.ask("post", data, server)).toMatchObject(gone);
    }
    expect(post("x")).toMatchObject(gone);
    expect(listed(scene.ask("hooks", { user: "ana", token: ana }))).toEqual([]);
    expect(make({ id: "new" })).toMatchObject({ code: "id_reused" });
  });

  test("[Q17] a revocation counts even if it arrives before the hook", () => {
    const { scene } = furnish();
    const { hooks } = scene.server.core.chat;
    const hook = "0a".repeat(16) as never;
    const placed = { server: scene.server.name, clock: 1, time: 1, id: undefined };
    hooks.revocations.add(hook, { hook, by: "ana" as UserName, seq: 2, ...placed });
    hooks.add({ ...deploy, hook, by: "ana", isProven: true, seq: 1, ...placed } as never);
    expect(hooks.isRevoked(hook)).toBe(true);
  });

  test("[Q17] only the owner, an administrator and the operator revoke a hook; others learn nothing of it", () => {
    const { scene, make } = furnish();
    const bia = scene.user("bia");
    const { hook } = make();
    const other = scene.ask("unhook", { hook, token: bia });
    const unknown = scene.ask("unhook", { hook: "0".repeat(32), token: bia });
    expect(other).toMatchObject(gone);
    expect(other.description).toBe(unknown.description);
    expect(scene.ask("hooks", { user: "ana", token: bia })).toMatchObject({ code: "forbidden" });
    scene.ask("account", { user: "bia", administrator: true, token: scene.operator });
    expect(listed(scene.ask("hooks", { user: "ana", token: bia }))).toMatchObject([
      { id: hook, channel: "geral", name: "deploy" },
    ]);
    expect(scene.ask("unhook", { hook, token: bia })).toMatchObject({ status: "OK" });
    const next = make({ hookToken: tokenOf("next") });
    const byOperator = { hook: next.hook, token: scene.operator };
    expect(scene.ask("unhook", byOperator)).toMatchObject({ status: "OK" });
  });

  test("[Q17] in an open cluster anybody lists and revokes hooks, because anybody may use any name", () => {
    const open = new CoreCluster({ servers: 1 });
    open.runUntilServing();
    const ask = (service: string, data: Fields) => open.request(open.server(1), service, data);
    ask("login", { user: "ana" });
    ask("channel", { channel: "geral" });
    const { hook } = ask("hook", deploy);
    expect(ask("post", { hookToken: deploy.hookToken, message: "x" })).toMatchObject({
      status: "OK",
    });
    expect(listed(ask("hooks", { user: "ana" }))).toMatchObject([{ id: hook }]);
    expect(ask("unhook", { hook })).toMatchObject({ status: "OK" });
    expect(ask("post", { hookToken: deploy.hookToken, message: "x" })).toMatchObject(gone);
  });
});

describe("[O60] hooks beside servers of an older version", () => {
  test("[O60] [Q15] while a member may be of a version without hooks, a hook is refused with a sentence that names the member", () => {
    const { scene, make } = furnish();
    const older = scene.cluster.server(2);
    scene.server.core.replication.peer(older.name).takesHooks = false;
    const refused = make();
    expect(refused).toMatchObject({ code: "forbidden", reason: "upgrade_unfinished" });
    expect(refused.description).toBe(
      `"${older.name}" may be of a version without hooks: upgrade all servers first.`,
    );
    // The member's next heartbeat says that it is of this version.
    scene.cluster.runFor(1_000);
    expect(make()).toMatchObject({ status: "OK" });
  });
});

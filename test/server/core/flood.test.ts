import { expect, test } from "vitest";
import { Scene } from "../../support/account-scene.ts";

test("[X4] in open mode a server does not limit the rate of a user, because anybody may use any name", () => {
  const pace = { perSecond: 2, burst: 4 };
  const scene = new Scene({ user: pace, connection: { perSecond: 100, burst: 100 } }, "open");
  scene.ask("login", { user: "ana" });
  scene.ask("channel", { channel: "geral", user: "ana" });
  const send = () => scene.ask("publish", { user: "ana", channel: "geral", message: "x" });
  const statuses = Array.from({ length: 20 }, () => send().status);
  expect(new Set(statuses)).toEqual(new Set(["OK"]));
  // The rate of a connection is limited even in open mode.
  const asked = Array.from({ length: 200 }, () => scene.cluster.ask(scene.server, "time"));
  expect(asked.some(({ reply }) => reply?.code === "rate_limited")).toBe(true);
});

test("[X4] malformed requests count against the rate of their own connection only", () => {
  const scene = new Scene({ user: undefined, connection: { perSecond: 2, burst: 4 } });
  const send = (payload: unknown, connection: string) => {
    const asked = scene.cluster.askPayload(scene.server, payload, connection);
    scene.cluster.runUntil(() => asked.reply !== undefined, "a reply");
    return (asked.replies ?? []).map(({ data }) => data.code);
  };
  expect(Array.from({ length: 6 }, () => send({ service: 7 }, "one")).flat()).toEqual([
    ...Array(4).fill("bad_request"),
    ...Array(2).fill("rate_limited"),
  ]);
  expect(send({ service: "time", data: {} }, "one")).toEqual(["rate_limited"]);
  expect(send({ service: "time", data: {} }, "another")).toEqual([undefined]);
  // Each request of an array counts.
  const codes = send(Array(6).fill(null), "a third");
  expect(codes.filter((code) => code === "rate_limited")).toHaveLength(2);
});

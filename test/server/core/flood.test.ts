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

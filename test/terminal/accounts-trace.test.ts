import { expect, test } from "vitest";
import { accountsScene } from "./accounts-scene.ts";

const place = accountsScene({ settings: () => ({ TERTULIA_STEPS: "0" }) });

test("[O64] with accounts, `trace --send` sends nothing for a user without the right to trace", async () => {
  await place.account("ana");
  expect(await place.run("create #sala")).toMatchObject({ code: 0 });
  const { code, stdout, stderr } = await place.run("trace --send #sala olá");
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toMatch(/^tertulia: [^\n]*administrator[^\n]*\n$/);
  expect((await place.run("history #sala")).stdout).not.toContain("olá");
}, 30_000);

test("[O64] `trace --send` says that the message was sent if its steps can't be told", async () => {
  await place.account("bia");
  expect(await place.run("accounts promote bia", "", place.operator)).toMatchObject({ code: 0 });
  expect(await place.run("create #lugar")).toMatchObject({ code: 0 });
  const { code, stdout, stderr } = await place.run("trace --send #lugar olá");
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toMatch(/^Sent to #lugar[^\n]*\ntertulia: No server remembers your message/);
}, 30_000);

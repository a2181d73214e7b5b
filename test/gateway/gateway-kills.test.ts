import { expect, test } from "vitest";
import { killGateways } from "./kill-gateways.ts";

test("[G20] [G21] a client whose gateway is killed five times under 200 messages a second goes on at the other gateway, and loses and doubles nothing", async () => {
  const found = await killGateways({ gateways: 2, kills: 5, rate: 200 });
  expect(found).toMatchObject({ lost: 0, doubled: 0, breaks: 0 });
  expect(found.said).toBeGreaterThan(200);
  expect(Math.max(...found.resumeMs)).toBeLessThan(10_000);
}, 120_000);

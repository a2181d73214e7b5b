import { expect, test } from "vitest";
import { check, type Observations, type Write } from "../../../src/trials/chaos/core/checker.ts";
import { paceOf } from "../../../src/trials/chaos/core/pace.ts";
import { verdictOf } from "../../../src/trials/chaos/core/verdict.ts";

test("a chaos run without an acknowledged write has failed", () => {
  const server = "server_00000001";
  const conversation = "#geral";
  const write: Write = { message: "a", client: "ana", conversations: [conversation], sentMs: 0 };
  const seen: Observations = {
    servers: [server],
    writes: [write],
    reads: [],
    reports: [{ server, conversation, entries: [] }],
    deliveries: [{ subscriber: "bia", conversation, entries: [] }],
    files: [{ replica: server, checksums: { "users.json": "1" } }],
    outages: [],
    claims: [],
    accounts: [],
    changes: [],
    changed: [],
  };
  const verdict = verdictOf({
    seed: 1,
    seconds: 9,
    servers: 1,
    plan: [],
    kills: 0,
    failovers: [],
    seen,
    violations: check(seen),
    pace: paceOf(seen.writes, 9_000),
  });
  expect(verdict).toMatchObject({ ok: false, examples: ["nothing was acknowledged at all"] });
});

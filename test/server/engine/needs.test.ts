import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { digest } from "../../../src/platform/digest.ts";
import type { ParsedRequest, RequestOf } from "../../../src/protocol/client-messages.ts";
import { Needs } from "../../../src/server/engine/engine.ts";
import { addNeedsOf } from "../../../src/server/engine/needs.ts";
import { hasPostgres, skipNote } from "../../../src/trials/postgres.ts";
import { EngineDatabase } from "../../support/engine-database.ts";

describe.skipIf(!hasPostgres)(`What requests need of an engine${skipNote}`, () => {
  let database: EngineDatabase;

  beforeAll(async () => {
    database = await EngineDatabase.start();
  }, 60_000);
  afterAll(() => database[Symbol.asyncDispose]());

  test("can be loaded for a hook that no hook can be, such as one with U+0000", async () => {
    const unhook = { service: "unhook", hook: "a\0b" } as RequestOf<"unhook"> as ParsedRequest;
    const needs = new Needs();
    addNeedsOf(needs, unhook, digest);
    await expect(database.load(needs)).resolves.toBeDefined();
  });
});

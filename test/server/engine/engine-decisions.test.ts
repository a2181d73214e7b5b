import { describe, expect, test } from "vitest";
import type { Decided, Operation } from "../../../src/protocol/operation.ts";
import { EngineDecisions } from "../../../src/server/engine/engine-waits.ts";
import { operation } from "../../support/drawn-operations.ts";
import { until } from "../../support/until.ts";

const buying = (user: string, id: string, pack = "basic") => operation("buy", user, { id, pack });
const supplying = (id: string) => operation("supply", "root", { id, pack: "basic", left: 5 });

/** Decisions of an engine that does all it is asked, and a Redis that answers when a test says so. */
class AskedDecisions {
  /** The ids of operations in the order in which the engine decided them. */
  readonly decided: string[] = [];
  /** Answers of Redis, by the ids of purchases. */
  readonly admissions = new Map<string, (answer: Decided | "decide") => void>();
  readonly outcomes = new Map<string, string | undefined>();
  readonly #decisions = new EngineDecisions({
    decide: async (operations) => {
      this.decided.push(...operations.map(({ id }) => id));
      return operations.map((one) => ({ slot: 1, outcome: "done", operation: one }));
    },
    admit: ({ kind, id }) => {
      if (kind !== "buy") return undefined;
      return new Promise((resolve) => this.admissions.set(id, resolve));
    },
    wake: () => this.advance(),
  });

  ask(...operations: readonly Operation[]): void {
    for (const one of operations) {
      const settle = (answer: Decided | undefined) =>
        void this.outcomes.set(one.id, answer?.outcome);
      this.#decisions.ask(one, { deadlineMs: Number.POSITIVE_INFINITY, settle });
    }
    this.advance();
  }

  advance(): void {
    this.#decisions.advance({ steadyMs: 0, wallMs: 0 });
  }

  async untilDecided(...ids: readonly string[]): Promise<void> {
    await until(() => this.outcomes.size >= ids.length, "all have an outcome");
    expect(this.decided).toEqual(ids);
  }
}

describe("[K12] [W15] operations of one payload are decided in their order, also with a Redis", () => {
  test("a purchase after a supply of its pack needs no reservation", async () => {
    const asked = new AskedDecisions();
    asked.ask(supplying("1"), buying("root", "2"), buying("ana", "3"));
    expect(asked.admissions.size).toBe(0);
    await asked.untilDecided("1", "2", "3");
    asked.ask(buying("root", "4"));
    expect([...asked.admissions.keys()]).toEqual(["4"]);
  });

  test("a purchase of another pack still asks for one", () => {
    const asked = new AskedDecisions();
    asked.ask(supplying("1"), buying("root", "2", "rare"));
    expect([...asked.admissions.keys()]).toEqual(["2"]);
  });

  test("what a user asks after a purchase does not overtake it, and others do", async () => {
    const asked = new AskedDecisions();
    asked.ask(buying("root", "1"), supplying("2"), buying("root", "3"), buying("ana", "4", "rare"));
    asked.admissions.get("4")?.("decide");
    await until(() => asked.decided.length === 1, "the other user does not wait");
    asked.admissions.get("1")?.("decide");
    await asked.untilDecided("4", "1", "2", "3");
  });

  test("a supply does not overtake a purchase by another user, nor a later purchase the supply", async () => {
    const asked = new AskedDecisions();
    asked.ask(buying("ana", "1"), supplying("2"), buying("bia", "3"));
    await new Promise((resolve) => setImmediate(resolve));
    expect([asked.decided, [...asked.admissions.keys()]]).toEqual([[], ["1"]]);
    asked.admissions.get("1")?.("decide");
    await asked.untilDecided("1", "2", "3");
  });

  test("two purchases of a user keep their order, and a refused one holds up nothing", async () => {
    const asked = new AskedDecisions();
    const [first, second] = [buying("ana", "1"), buying("ana", "2")];
    asked.ask(first, second, buying("ana", "3"));
    asked.admissions.get("3")?.("decide");
    asked.admissions.get("2")?.({ slot: 1, outcome: "sold_out", operation: second });
    await new Promise((resolve) => setImmediate(resolve));
    expect(asked.decided).toEqual([]);
    asked.admissions.get("1")?.("decide");
    await until(() => asked.outcomes.size === 3, "all have an outcome");
    expect(asked.decided).toEqual(["1", "3"]);
    expect(asked.outcomes.get("2")).toBe("sold_out");
  });
});

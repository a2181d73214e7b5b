import { describe, expect, test } from "vitest";
import {
  type Change,
  type ChangedReplica,
  type ChangeObservations,
  checkChanges,
  firstPassword,
} from "../../../src/trials/chaos/core/changes.ts";

function changed(client: string, ...told: number[]): Change {
  const change = { kind: "password", user: "rosa", by: "rosa" } as const;
  return { ...change, client, id: `id-${client}`, value: `of ${client}`, told, isGivenUp: false };
}

function refused(client: string): Change {
  return { ...changed(client), refused: "password_wrong" };
}

function locked(client: string, value: "locked" | "unlocked", ...told: number[]): Change {
  return { ...changed(client, ...told), kind: "lock", user: "zeca", by: client, value };
}

function kept(client: string, slot: number, outcome = "done") {
  return { kept: [{ id: `id-${client}`, slot, outcome }], floor: 0 };
}

const replica: ChangedReplica = {
  replica: "servers/1",
  passwords: new Map([["rosa", "of eva"]]),
  locked: new Set(["zeca"]),
  operations: new Map([
    ["rosa", kept("eva", 3)],
    ["gil", kept("gil", 5)],
    ["ivo", kept("ivo", 4)],
  ]),
};

/** A race without violations: eva changed the password, and zeca's last change was a lock. */
const sound: ChangeObservations = {
  changes: [
    changed("eva", 3, 3),
    refused("lia"),
    locked("gil", "locked", 5),
    locked("ivo", "unlocked", 4),
  ],
  changed: [replica, { ...replica, replica: "servers/2" }],
};

function rulesBroken(change: Partial<ChangeObservations>): string[] {
  return [...new Set(checkChanges({ ...sound, ...change }).map(({ rule }) => rule))];
}

function on(second: Partial<ChangedReplica>): Partial<ChangeObservations> {
  return { changed: [replica, { ...replica, replica: "servers/2", ...second }] };
}

describe("[D5] [D9] the checker of changes", () => {
  test("the checker of changes finds no violation in a sound race", () => {
    expect(checkChanges(sound)).toEqual([]);
    expect(checkChanges({ changes: [], changed: [] })).toEqual([]);
  });

  test("the checker of changes finds a password that two clients changed from the same old one", () => {
    expect(rulesBroken({ changes: [...sound.changes, changed("lia", 3)] })).toContain(
      "changedTwice",
    );
  });

  test("the checker of changes finds a client that was told two outcomes", () => {
    const [first, ...others] = sound.changes as [Change, ...Change[]];
    const twoSlots = { ...first, told: [3, 7] };
    expect(rulesBroken({ changes: [twoSlots, ...others] })).toEqual(["contradicted"]);
    const thenRefused = { ...first, refused: "password_wrong" };
    expect(rulesBroken({ changes: [thenRefused, ...others] })).toEqual(["contradicted"]);
  });

  test("the checker of changes finds a replica with another password than a client was told", () => {
    expect(rulesBroken(on({ passwords: new Map([["rosa", firstPassword]]) }))).toEqual(["misset"]);
    expect(rulesBroken(on({ passwords: new Map() }))).toEqual(["misset"]);
  });

  test("the checker of changes accepts a change that its client gave up, whether or not it was done", () => {
    const changes = [{ ...changed("lia"), isGivenUp: true }];
    for (const value of [firstPassword, "of lia"]) {
      const changed = [{ ...replica, passwords: new Map([["rosa", value]]) }];
      expect(rulesBroken({ changes, changed })).toEqual([]);
    }
  });

  test("the checker of changes finds a replica with another lock than the last one that was told", () => {
    expect(rulesBroken(on({ locked: new Set() }))).toEqual(["misset"]);
    const perhaps = { ...locked("lia", "unlocked"), isGivenUp: true };
    const changes = [...sound.changes, perhaps];
    expect(rulesBroken({ changes, ...on({ locked: new Set() }) })).toEqual([]);
  });

  test("the checker of changes finds a replica that does not have an outcome that was told", () => {
    const without = new Map([...replica.operations].filter(([by]) => by !== "gil"));
    expect(rulesBroken(on({ operations: without }))).toEqual(["forgotten"]);
    const elsewhere = new Map([...replica.operations, ["gil", kept("gil", 6)] as const]);
    expect(rulesBroken(on({ operations: elsewhere }))).toEqual(["forgotten"]);
    const otherwise = new Map([...replica.operations, ["gil", kept("gil", 5, "refused")] as const]);
    expect(rulesBroken(on({ operations: otherwise }))).toEqual(["forgotten"]);
    const long = new Map([...without, ["gil", { kept: [], floor: 5 }] as const]);
    expect(rulesBroken(on({ operations: long }))).toEqual([]);
  });

  test("the checker of changes finds a change that was neither decided nor given up", () => {
    expect(rulesBroken({ changes: [...sound.changes, locked("lia", "locked")] })).toEqual([
      "undecided",
    ]);
  });
});

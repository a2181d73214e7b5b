import { describe, expect, test } from "vitest";
import {
  type Account,
  type Claim,
  type ClaimAnswer,
  type ClaimObservations,
  checkClaims,
} from "../../../src/trials/chaos/core/names.ts";

function claimed(client: string, ...answers: ClaimAnswer["answer"][]): Claim {
  return {
    name: "rosa",
    client,
    id: `id-${client}`,
    beganMs: 0,
    answers: answers.map((answer, at) => ({ atMs: 10 * (at + 1), answer })),
    isGivenUp: false,
  };
}

function account(client: string): Account {
  return { user: "rosa", id: `id-${client}` };
}

function everywhere(...accounts: Account[]): ClaimObservations["accounts"] {
  return ["servers/1", "servers/2"].map((replica) => ({ replica, accounts }));
}

/**
 * A race without violations: eva won and owns the name, and the others were answered name_taken.
 */
const sound: ClaimObservations = {
  claims: [claimed("eva", "won"), claimed("gil", "taken"), claimed("ivo", "taken", "taken")],
  accounts: everywhere(account("eva")),
};

function rulesBroken(change: Partial<ClaimObservations>): string[] {
  return [...new Set(checkClaims({ ...sound, ...change }).map(({ rule }) => rule))];
}

const givenUp: Claim = { ...claimed("lia"), isGivenUp: true };

describe("[R10] the checker of names", () => {
  test("the checker of claims finds no violation in a sound race", () => {
    expect(checkClaims(sound)).toEqual([]);
    expect(checkClaims({ claims: [], accounts: [] })).toEqual([]);
  });

  test("the checker of claims accepts a claim that its client gave up, whether or not the claim owns its name", () => {
    expect(rulesBroken({ claims: [...sound.claims, givenUp] })).toEqual([]);
    const claims = [...sound.claims.slice(1), givenUp];
    expect(rulesBroken({ claims, accounts: everywhere(account("lia")) })).toEqual([]);
  });

  test("the checker of claims finds a name that two clients won", () => {
    const claims = [claimed("eva", "won"), claimed("gil", "won")];
    expect(checkClaims({ ...sound, claims })).toContainEqual({
      rule: "claimedTwice",
      detail: "eva and gil were both told that rosa is theirs",
    });
  });

  test("the checker of claims finds a client that asked again and got a different answer", () => {
    for (const answers of [["won", "taken"] as const, ["taken", "won"] as const]) {
      const claims = [claimed("eva", ...answers), claimed("gil", "taken")];
      expect(rulesBroken({ claims })).toEqual(["contradicted"]);
    }
  });

  test("the checker of claims finds a name whose owner is not the client that won", () => {
    expect(
      rulesBroken({
        accounts: everywhere(account("lia")),
        claims: [claimed("eva", "won"), givenUp],
      }),
    ).toEqual(["misowned"]);
    expect(rulesBroken({ accounts: everywhere() })).toEqual(["misowned"]);
    const claims = sound.claims.slice(1);
    expect(rulesBroken({ claims, accounts: everywhere(account("nobody")) })).toEqual(["misowned"]);
  });

  test("the checker of claims finds a name whose owner got the answer name_taken", () => {
    const claims = [claimed("eva", "taken"), claimed("gil", "taken")];
    expect(checkClaims({ ...sound, claims })).toEqual([
      {
        rule: "misowned",
        detail: "rosa belongs to eva (servers/1): eva was told name_taken and owns it",
      },
    ]);
  });

  test("the checker of claims finds a name without an owner if all clients got the answer name_taken", () => {
    const claims = sound.claims.slice(1);
    expect(rulesBroken({ claims, accounts: everywhere() })).toEqual(["misowned"]);
  });

  test("the checker of claims finds owners that differ between replicas or are missing on one replica", () => {
    const [one] = everywhere(account("eva"));
    const [two] = everywhere(account("gil"));
    const [none] = everywhere();
    if (!one || !two || !none) throw new Error("there are some");
    expect(rulesBroken({ accounts: [one, two] })).toEqual(["ownersDiffer"]);
    expect(rulesBroken({ accounts: [one, none] })).toEqual(["ownersDiffer"]);
    expect(rulesBroken({ accounts: [none, one] })).toContain("ownersDiffer");
    const missing = { replica: "servers/2", accounts: undefined };
    expect(rulesBroken({ accounts: [one, missing] })).toEqual(["ownersDiffer"]);
  });

  test("the checker of claims finds several owners on one replica", () => {
    const accounts = everywhere(account("gil"), account("eva"));
    expect(rulesBroken({ accounts })).toContain("ownersDiffer");
  });

  test("the checker of claims finds a claim that was neither decided nor given up", () => {
    expect(rulesBroken({ claims: [...sound.claims, claimed("lia")] })).toEqual(["undecided"]);
    const refused: Claim = { ...claimed("lia"), refused: "bad_request" };
    expect(checkClaims({ ...sound, claims: [...sound.claims, refused] })).toEqual([
      { rule: "undecided", detail: "the claim of rosa by lia was refused: bad_request" },
    ]);
  });
});

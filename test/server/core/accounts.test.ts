import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Epoch } from "../../../src/protocol/epoch.ts";
import type { RequestId, ServerName, UserName } from "../../../src/protocol/ids.ts";
import type { Vector } from "../../../src/protocol/vector.ts";
import { Accounts, type Claim } from "../../../src/server/core/accounts/accounts.ts";
import {
  type CoordinatorTerm,
  CoordinatorTerms,
} from "../../../src/server/core/coordinator/coordinator-terms.ts";
import { serverName } from "../../support/event-lines.ts";

const a = serverName(1);
const b = serverName(2);
const eva = "eva" as UserName;
const epochOf = (number: number): Epoch => ({ view: 1, term: number });

type Place = readonly [server: ServerName, seq: number];

function claim([server, seq]: Place, id: string, epoch: Epoch): Claim {
  const placed = { server, seq, clock: seq, time: seq, id: id as RequestId };
  return { ...placed, user: eva, credential: `of ${id}`, epoch };
}

function termOf([server, seq]: Place, epoch: Epoch, sees: Vector): CoordinatorTerm {
  return { server, seq, clock: seq, time: seq, id: undefined, epoch, sees };
}

function empty(): { readonly accounts: Accounts; readonly terms: CoordinatorTerms } {
  const terms = new CoordinatorTerms();
  return { accounts: new Accounts(terms), terms };
}

/** A claim of the name `Eva`, which looks like `eva`. */
function claimLike(place: Place, id: string, epoch: Epoch): Claim {
  return { ...claim(place, id, epoch), user: "Eva" as UserName, looks: ["eva"] };
}

describe("claims of names that look the same", () => {
  const looks = ["eva"];

  test("[E3] if two claims count and their names look the same, only the claim of the higher epoch holds its name", () => {
    const { accounts, terms } = empty();
    accounts.addClaim({ ...claim([a, 2], "old", epochOf(1)), looks });
    expect(accounts.holderLike("Eva" as UserName)?.id).toBe("old");
    accounts.addClaim(claimLike([b, 9], "young", epochOf(2)));
    terms.add(termOf([b, 3], epochOf(3), { [a]: 2, [b]: 9 }));
    expect(accounts.holder(eva)).toBeUndefined();
    expect(accounts.holderLike(eva)?.id).toBe("young");
    expect([...accounts.unowned()].map(({ id }) => id)).toEqual(["young"]);
  });

  test("[E3] a claim that counts holds its name despite a look-alike name whose newer claim does not count", () => {
    const { accounts, terms } = empty();
    accounts.addClaim({ ...claim([a, 2], "old", epochOf(1)), looks });
    accounts.addClaim(claimLike([b, 9], "young", epochOf(2)));
    terms.add(termOf([b, 3], epochOf(3), { [a]: 2 }));
    expect(accounts.holder(eva)?.id).toBe("old");
  });

  test("[E3] a claim without `looks`, made by an older version, conflicts only with claims of the identical name", () => {
    const { accounts } = empty();
    accounts.addClaim(claim([a, 2], "old", epochOf(1)));
    accounts.addClaim(claimLike([b, 9], "young", epochOf(2)));
    expect(accounts.holder(eva)?.id).toBe("old");
    expect(accounts.holder("Eva" as UserName)?.id).toBe("young");
  });

  test("[R4] the holder of a name depends on the `looks` stored in the claim, not on the `looks` that this process computes", () => {
    const { accounts } = empty();
    accounts.addClaim({
      ...claim([a, 2], "old", epochOf(1)),
      looks: ["as another Unicode has it"],
    });
    accounts.addClaim(claimLike([b, 9], "young", epochOf(2)));
    expect(accounts.holder(eva)?.id).toBe("old");
  });
});

describe("claims and epochs", () => {
  test("[E3] a claim counts while no higher epoch is known", () => {
    const { accounts, terms } = empty();
    terms.add(termOf([a, 1], epochOf(1), {}));
    accounts.addClaim(claim([a, 2], "x", epochOf(1)));
    expect(accounts.holder(eva)?.id).toBe("x");
    expect(accounts.owner(eva)).toBeUndefined();
  });

  test("[E3] a claim counts if the coordinator of the highest later epoch knew of the claim", () => {
    const { accounts, terms } = empty();
    accounts.addClaim(claim([a, 2], "x", epochOf(1)));
    terms.add(termOf([b, 1], epochOf(2), {}));
    expect(accounts.holder(eva)).toBeUndefined();
    terms.add(termOf([b, 2], epochOf(3), { [a]: 2 }));
    expect(accounts.holder(eva)?.id).toBe("x");
  });

  test("[E3] if two claims count and have the same name, the claim of the higher epoch holds the name", () => {
    const { accounts, terms } = empty();
    accounts.addClaim(claim([b, 9], "young", epochOf(2)));
    accounts.addClaim(claim([a, 2], "old", epochOf(1)));
    terms.add(termOf([b, 3], epochOf(3), { [a]: 2, [b]: 9 }));
    expect(accounts.holder(eva)?.id).toBe("young");
  });

  test("[E3] a confirmed claim owns the name, even if a newer, unconfirmed claim holds the name", () => {
    const { accounts } = empty();
    accounts.addClaim(claim([a, 2], "x", epochOf(1)));
    accounts.confirm({ server: a, seq: 2 });
    accounts.addClaim(claim([b, 5], "x", epochOf(2)));
    expect(accounts.owner(eva)).toMatchObject({ server: a, seq: 2 });
    expect(accounts.holder(eva)).toMatchObject({ server: b, seq: 5 });
  });

  test("[R4] events of claims give the same holders and owners in whatever order a server applies the events", () => {
    const facts: ((accounts: Accounts, terms: CoordinatorTerms) => void)[] = [
      (_, terms) => terms.add(termOf([a, 1], epochOf(1), {})),
      (_, terms) => terms.add(termOf([b, 4], epochOf(2), { [a]: 2 })),
      (_, terms) => terms.add(termOf([b, 8], epochOf(3), { [a]: 3, [b]: 5 })),
      (accounts) => accounts.addClaim(claim([a, 2], "x", epochOf(1))),
      (accounts) => accounts.addClaim({ ...claim([a, 3], "y", epochOf(1)), looks: ["eva"] }),
      (accounts) => accounts.addClaim(claimLike([b, 7], "like", epochOf(2))),
      (accounts) => accounts.addClaim(claim([b, 5], "z", epochOf(2))),
      (accounts) => accounts.confirm({ server: b, seq: 5 }),
    ];
    const fold = (order: readonly number[]) => {
      const { accounts, terms } = empty();
      for (const at of order) facts[at]?.(accounts, terms);
      const like = accounts.holder("Eva" as UserName);
      const claims = [...accounts.claims()].sort((a, b) => a.seq - b.seq);
      return [accounts.holder(eva), like, accounts.owner(eva), claims, terms.all()];
    };
    const all = facts.map((_, at) => at);
    const expected = fold(all);
    fc.assert(
      fc.property(fc.shuffledSubarray(all, { minLength: all.length }), (order) => {
        expect(fold(order)).toEqual(expected);
      }),
    );
  });
});

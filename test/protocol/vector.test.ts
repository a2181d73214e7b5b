import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ProtocolError } from "../../src/protocol/errors.ts";
import { limits } from "../../src/protocol/limits.ts";
import {
  covers,
  join,
  lag,
  parseVector,
  raise,
  sorted,
  type Vector,
} from "../../src/protocol/vector.ts";
import { serverName } from "../support/event-lines.ts";

const anyVector: fc.Arbitrary<Vector> = fc.dictionary(
  fc.nat(4).map(serverName),
  fc.nat(5),
) as fc.Arbitrary<Vector>;

/** Whether two vectors are equal, if a missing server counts as 0. */
function same(a: Vector, b: Vector): boolean {
  return covers(a, b) && covers(b, a);
}

describe("vectors", () => {
  test("`covers` is a partial order", () => {
    fc.assert(
      fc.property(anyVector, anyVector, anyVector, (a, b, c) => {
        expect(covers(a, a)).toBe(true);
        if (covers(a, b) && covers(b, c)) expect(covers(a, c)).toBe(true);
        expect(covers(a, {})).toBe(true);
      }),
    );
  });

  test("`join` returns the least vector that covers both of its arguments, and is commutative, associative and idempotent", () => {
    fc.assert(
      fc.property(anyVector, anyVector, anyVector, (a, b, c) => {
        const both = join(a, b);
        expect(covers(both, a) && covers(both, b)).toBe(true);
        expect(same(both, join(b, a))).toBe(true);
        expect(same(join(both, c), join(a, join(b, c)))).toBe(true);
        expect(same(join(a, a), a)).toBe(true);
        if (covers(c, a) && covers(c, b)) expect(covers(c, both)).toBe(true);
      }),
    );
  });

  test("`raise` joins in place, and returns whether the vector rose", () => {
    fc.assert(
      fc.property(anyVector, anyVector, (a, b) => {
        const raised = { ...a };
        expect(raise(raised, b)).toBe(!covers(a, b));
        expect(same(raised, join(a, b))).toBe(true);
      }),
    );
  });

  test("the lag of one vector behind another is 0 if and only if the first covers the second", () => {
    fc.assert(
      fc.property(anyVector, anyVector, (a, b) => {
        expect(lag(a, b) === 0).toBe(covers(a, b));
      }),
    );
    expect(lag({ [serverName(1)]: 2 }, { [serverName(1)]: 5, [serverName(2)]: 4 })).toBe(7);
  });

  test("[R4] equal vectors give equal JSON text once their names are sorted", () => {
    fc.assert(
      fc.property(anyVector, (vector) => {
        const turned = Object.fromEntries(Object.entries(vector).reverse()) as Vector;
        expect(JSON.stringify(sorted(turned))).toBe(JSON.stringify(sorted(vector)));
        expect(sorted(vector)).toEqual(vector);
      }),
    );
  });
});

describe("parseVector", () => {
  test("`parseVector` accepts any vector", () => {
    fc.assert(
      fc.property(anyVector, (vector) => {
        expect(parseVector({ ...vector }, "after")).toEqual(vector);
      }),
    );
  });

  const tooMany = Object.fromEntries(
    Array.from({ length: limits.vectorServers + 1 }, (_, n) => [serverName(n), 1]),
  );
  test.each([
    null,
    undefined,
    7,
    "x",
    [],
    { ana: 1 },
    { server_1: 1 },
    tooMany,
    {
      server_00000001: "1",
    },
    { server_00000001: 0.5 },
    { server_00000001: 2 ** 53 },
    { SERVER_00000001: 1 },
  ])("[W7] `parseVector` refuses %j, and names the field", (value) => {
    expect(() => parseVector(value, "since")).toThrow(ProtocolError);
    expect(() => parseVector(value, "since")).toThrow(/`since`/);
  });
});

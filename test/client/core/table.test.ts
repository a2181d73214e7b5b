import { expect, test } from "vitest";
import { table } from "../../../src/client/core/table.ts";

test("a table is as wide as its cells, numbers on the right", () => {
  expect(
    table(
      [{ heading: "A" }, { heading: "N", right: true }],
      [
        ["long", "1"],
        ["b", "22"],
      ],
    ),
  ).toMatchInlineSnapshot(`
      [
        "A      N",
        "long   1",
        "b     22",
      ]
    `);
});

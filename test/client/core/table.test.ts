import { expect, test } from "vitest";
import { table } from "../../../src/client/core/table.ts";

test("each column of a table is as wide as its widest cell, with numbers aligned right", () => {
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

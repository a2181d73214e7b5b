import { expect, test } from "vitest";
import { currentOf } from "../../../src/client/core/chat-model.ts";
import { view } from "../../../src/client/core/chat-view.ts";
import { hasInName, sortedByMatch } from "../../../src/client/core/name-search.ts";
import type { UserName } from "../../../src/protocol/ids.ts";
import { ChatScene } from "./chat-scene.ts";

/** A chat whose person is `me`. */
function sceneOf(me: string, columns = 80): ChatScene {
  const scene = new ChatScene(columns);
  scene.model = { ...scene.model, me: me as UserName };
  return scene;
}

function highlighted(scene: ChatScene): string[] {
  const spans = view(scene.model).lines.flat();
  return spans.filter(({ style }) => style === "mention").map(({ text }) => text);
}

test.each([
  ["jose", "José"],
  ["JOSÉ", "José"],
  ["jose\u0301", "José"],
  ["οδυσ", "Οδυσσέας"],
  ["ilk", "İlker"],
  ["isik", "Işık"],
  ["nguyen", "Nguyễn"],
  ["한", "한글"],
])("the typed letters %s match the name %s", (part, name) =>
  expect(hasInName(name, part)).toBe(true),
);

test("names that begin with the typed letters come first, and of these, names with the typed accents", () => {
  const names = ["@Maria-José", "@Josefa", "@José", "#jose"];
  expect(sortedByMatch(names, "jos")).toEqual(["@Josefa", "@José", "#jose", "@Maria-José"]);
  expect(sortedByMatch(names, "jose\u0301")).toEqual(["@José", "@Josefa", "#jose", "@Maria-José"]);
});

test("the quick switch and Tab find accented names by letters without accents", () => {
  const scene = new ChatScene().start(["geral", "café"]);
  scene.on({
    type: "names",
    users: ["José", "Ángela"] as never,
    channels: ["geral", "café"] as never,
  });
  scene.types("\x0bjose\r");
  expect(scene.model.current).toBe("@José");
  scene.types("\x0bcafe\u0301\r");
  expect(scene.model.current).toBe("#café");
  expect(scene.types("@ang\t").screen).toContain("› @Ángela");
  expect(scene.types("\x15/JOIN cafe\u0301\t").screen).toContain("› /JOIN #café");
  expect(scene.types("\x15/sa\tx").screen).toContain("› /say x");
});

test("composed and decomposed spellings of a name lead to the same conversation", () => {
  const scene = new ChatScene().start(["geral", "café"]);
  scene.types("/join #cafe\u0301\r/mute #cafe\u0301\r");
  const channel = currentOf(scene.model);
  expect(channel).toMatchObject({ key: "#café", isMuted: true });
  scene.types("/msg Jose\u0301 oi\r");
  expect(scene.effects.at(-1)).toMatchObject({ type: "send", target: { user: "José" } });
  const privately = [scene.privately("José", "ana", "oi")];
  expect(scene.on({ type: "entries", entries: privately }).model.conversations).toHaveLength(4);
});

test("a mention with decomposed letters is counted and highlighted", () => {
  const scene = sceneOf("José")
    .start(["geral", "praia"])
    .says("praia", "bia", "oi Jose\u0301-Luis");
  expect(scene.model.conversations.at(-1)).toMatchObject({ unread: 1, mentions: 0 });
  scene.says("praia", "bia", "um Jose\u0301, dois @JOSÉ.");
  expect(scene.model.conversations.at(-1)).toMatchObject({ unread: 2, mentions: 1 });
  expect(highlighted(scene.types("/join #praia\r"))).toEqual(["Jose\u0301", "@JOSÉ"]);
});

test("the prefix /me of an action does not mention a user who is named me", () => {
  const scene = sceneOf("me").start(["geral", "praia"]);
  expect(scene.says("praia", "bia", "/me waves").model.conversations.at(-1)?.mentions).toBe(0);
  expect(scene.says("praia", "bia", "/me hugs me").model.conversations.at(-1)?.mentions).toBe(1);
});

test("a name broken over two rows is highlighted in both rows, but the same letters in a longer name are not", () => {
  const scene = sceneOf("ana", 30).start();
  const row = "x".repeat(19);
  scene.says("geral", "bia", `${row}ana ${"x".repeat(18)} ana-${"x".repeat(40)}-ana`);
  expect(highlighted(scene)).toEqual([]);
  const long = sceneOf("n".repeat(40), 30)
    .start()
    .says("geral", "bia", `oi ${"n".repeat(40)}!`);
  expect(highlighted(long).join("")).toBe("n".repeat(40));
});

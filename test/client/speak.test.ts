import { expect, test } from "vitest";
import { type Context, speak } from "../../src/client/commands/context.ts";
import { stateNotes } from "../../src/client/commands/state-notes.ts";
import { textsIn } from "../../src/texts/texts.ts";

test("after a change of language, notes on the connection are shown in the new language", () => {
  const context = { text: textsIn("en"), language: "en" } as Context;
  const told: string[] = [];
  const onState = stateNotes(context, (line) => told.push(line));
  onState("connected");
  onState("reconnecting");
  speak(context, "pt_BR");
  onState("connected");
  expect(told).toEqual([textsIn("en")("state.reconnecting"), textsIn("pt-br")("state.connected")]);
});

test("a change to a language without texts fails with an error that names this language, and the person's language stays the same", () => {
  const context = { text: textsIn("pt-br"), language: "pt-br" } as Context;
  expect(() => speak(context, "fr")).toThrow(textsIn("pt-br")("problem.lang", { value: "fr" }));
  expect(context).toMatchObject({ language: "pt-br" });
});

import { CommanderError } from "commander";
import { expect, test } from "vitest";
import { rootHelp, usageSentence } from "../../src/client/commands/usage.ts";
import { commandHelp } from "../../src/client/core/help.ts";
import { commands } from "../../src/client/core/slash-command.ts";
import { errorCodes } from "../../src/protocol/errors.ts";
import {
  catalogues,
  chooseLanguage,
  type Language,
  languageOf,
  languages,
  textsIn,
} from "../../src/texts/texts.ts";
import { trialCatalogues } from "../../src/trials/texts/texts.ts";

const holes = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(([hole]) => hole).sort();
const all: Readonly<Record<Language, Readonly<Record<string, string>>>>[] = [
  catalogues,
  trialCatalogues,
];

test("the English and the Portuguese catalogue have the same keys", () => {
  for (const { en, "pt-br": ptBr } of all) {
    expect(Object.keys(ptBr).sort()).toEqual(Object.keys(en).sort());
  }
});

test("each text has the same placeholders in English and in Portuguese", () => {
  for (const { en, "pt-br": ptBr } of all) {
    for (const [key, text] of Object.entries(en)) {
      expect(holes(ptBr[key] ?? ""), key).toEqual(holes(text));
    }
  }
});

test("no text is empty, and each error code has a text in English and in Portuguese", () => {
  for (const language of languages) {
    for (const [key, text] of all.flatMap((each) => Object.entries(each[language]))) {
      expect(text.trim(), `${language} ${key}`).not.toBe("");
    }
    for (const code of Object.keys(errorCodes)) {
      expect(catalogues[language]).toHaveProperty([`error.${code}`]);
    }
  }
});

test("the chat's help shows the usage and the purpose of each command", () => {
  for (const language of languages) {
    for (const command of commands) {
      const { usage, what } = commandHelp(textsIn(language), command);
      expect(usage.split(" ")[0]).toBe(`/${command}`);
      expect(what).not.toBe("");
    }
  }
});

test("a text's placeholders are filled in, and braces in a filled-in value do not change", () => {
  expect(textsIn("en")("done.login", { user: "ana" })).toBe("ana is logged in.");
  expect(textsIn("pt-br")("problem.sinceVector", { value: "{x}" })).toBe(
    '"{x}" não é um vetor como {"server_0a1b2c3d":7}.',
  );
});

test("the language is that of the flag, else of the environment, else English", () => {
  expect(chooseLanguage("pt-br", { TERTULIA_LANG: "en" })).toBe("pt-br");
  expect(chooseLanguage(undefined, { TERTULIA_LANG: "en", LANG: "pt_BR.UTF-8" })).toBe("en");
  expect(chooseLanguage(undefined, { LC_ALL: "", LANG: "pt_BR.UTF-8" })).toBe("pt-br");
  expect(chooseLanguage(undefined, { LC_ALL: "C", LANG: "pt_BR.UTF-8" })).toBe("en");
  expect(chooseLanguage(undefined, {})).toBe("en");
  expect(languageOf("klingon")).toBeUndefined();
});

test.each([
  ["en", "There is no option -it's. Put -- before a text that begins with a dash"],
  ["pt-br", "A opção -it's não existe. Ponha -- antes de um texto que começa com um traço"],
] as const)(
  "in the language %s, the error for an unknown option explains how to send a text that begins with a dash",
  (language, told) => {
    const error = (message: string) => new CommanderError(1, "commander.unknownOption", message);
    const sentence = (message: string, command: string) =>
      usageSentence(error(message), textsIn(language), command);
    expect(sentence("error: unknown option '-it's'", "tertulia send")).toContain(told);
    const mistyped = "error: unknown option '--jsn'\n(Did you mean --json?)";
    expect(sentence(mistyped, "tertulia send")).not.toContain(" -- ");
    expect(sentence("error: unknown option '-x'", "tertulia users")).not.toContain(" -- ");
  },
);

test("the program's help has fewer than 24 lines of at most 80 columns", () => {
  for (const language of languages) {
    const lines = rootHelp(textsIn(language)).trimEnd().split("\n");
    expect(lines.length).toBeLessThan(24);
    for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(80);
  }
});

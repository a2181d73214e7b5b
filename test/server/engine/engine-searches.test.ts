import { expect, test } from "vitest";
import type { SearchQuery } from "../../../src/protocol/client-messages.ts";
import { limits } from "../../../src/protocol/limits.ts";
import type { Entry } from "../../../src/protocol/publications.ts";
import { readTerms } from "../../../src/protocol/search-words.ts";
import { EngineUnavailable } from "../../../src/server/engine/engine.ts";
import { EngineSearches } from "../../../src/server/engine/engine-waits.ts";
import { until } from "../../support/until.ts";

const queryOf = (words: string): SearchQuery => {
  return { conversation: { channel: "geral" as never }, terms: readTerms(words), limit: 1 };
};

test("[Q31] an engine does two searches of a server at once, and the others wait for their turn", async () => {
  const open: { words: string; end: () => void }[] = [];
  const started: string[] = [];
  const search = ({ terms }: SearchQuery) => {
    const words = terms.map(({ text }) => text).join(" ");
    started.push(words);
    return new Promise<readonly Entry[]>((resolve) => open.push({ words, end: () => resolve([]) }));
  };
  const done: string[] = [];
  const searches = new EngineSearches(search, (happen) => happen());
  for (const words of ["a", "b", "c", "d"]) searches.add(queryOf(words), () => done.push(words));
  expect(limits.searchesAtOnce).toBe(2);
  expect(started).toEqual(["a", "b"]);
  open[1]?.end();
  await until(() => started.length === 3, "the third search begins");
  expect({ started, done }).toEqual({ started: ["a", "b", "c"], done: ["b"] });
  for (const one of open) one.end();
  await until(() => started.length === 4, "the last search begins");
  open[3]?.end();
  await until(() => done.length === 4, "all searches are done");
});

test("[Q31] a search is done without a result if the engine does not answer, and the next one begins", async () => {
  const search = () => Promise.reject(new EngineUnavailable("away"));
  const found: unknown[] = [];
  const searches = new EngineSearches(search, (happen) => happen());
  for (const words of ["a", "b", "c"]) searches.add(queryOf(words), (result) => found.push(result));
  await until(() => found.length === 3, "all searches are done");
  expect(found).toEqual([undefined, undefined, undefined]);
});

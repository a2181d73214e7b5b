import { describe, expect, test } from "vitest";
import { diagramOf } from "../../src/client/core/trace/diagram.ts";
import { diagramLines } from "../../src/client/core/trace/lines.ts";
import { MatchSteps } from "../../src/game/steps/match-steps.ts";
import { limits } from "../../src/protocol/limits.ts";
import type { MatchId } from "../../src/protocol/matches.ts";
import type { Step, Trace } from "../../src/protocol/steps.ts";
import { textsIn } from "../../src/texts/texts.ts";

describe("the memory of a game server", () => {
  const [match, other] = ["0123456789abcdef", "fedcba9876543210"] as MatchId[] as [
    MatchId,
    MatchId,
  ];
  const add = (memory: MatchSteps, clock: number, name: string) => {
    const [of = "", ...operation] = name.split("/");
    const subject = { match: of as MatchId, operations: [operation.join("/")] };
    memory.add({ kind: "asked", atMs: clock, clock }, subject);
  };

  test("[O68] it has as many records as `--steps` says, and forgets the oldest first", () => {
    const memory = new MatchSteps(10);
    for (let clock = 1; clock <= 25; clock += 1) add(memory, clock, `${match}/ada/a${clock}`);
    const known = Array.from({ length: 26 }, (_, at) => at).filter((at) => {
      return memory.recall(`a${at}`).match !== undefined;
    });
    expect(known).toEqual([16, 17, 18, 19, 20, 21, 22, 23, 24, 25]);
    expect(memory.recall("a15")).toEqual({ steps: [] });
  });

  test("[O68] an action is found by its id, and by its match, with its user or without", () => {
    const memory = new MatchSteps(10);
    add(memory, 1, `${match}/ada/1/2`);
    add(memory, 2, `${match}/:timeOut/3`);
    for (const of of ["1/2", "ada/1/2", `${match}/1/2`, `${match}/ada/1/2`]) {
      expect(memory.recall(of)).toEqual({
        match: { match, operation: "ada/1/2" },
        steps: [{ kind: "asked", atMs: 1, clock: 1 }],
      });
    }
    for (const of of ["2", "da/1/2", `${other}/1/2`, `${match}/`, "", "ada"]) {
      expect(memory.recall(of)).toEqual({ steps: [] });
    }
  });

  test("[O68] of two actions with one id the newest is found, and the older one by its match", () => {
    const memory = new MatchSteps(10);
    add(memory, 1, `${match}/ada/1`);
    add(memory, 2, `${other}/bob/1`);
    expect(memory.recall("1").match).toEqual({ match: other, operation: "bob/1" });
    expect(memory.recall(`${match}/1`).match).toEqual({ match, operation: "ada/1" });
  });

  test("[O68] of a whole match the newest 100 steps are told, each with its operations", () => {
    const memory = new MatchSteps(300);
    for (let clock = 1; clock <= 150; clock += 1) add(memory, clock, `${match}/ada/a${clock}`);
    add(memory, 151, `${other}/ada/b`);
    const { match: traced, steps } = memory.recall(match);
    expect(traced).toEqual({ match });
    expect(steps.map(({ clock }) => clock)).toEqual(
      Array.from({ length: limits.eventSteps }, (_, at) => at + 51),
    );
    expect(steps.at(-1)?.operations).toEqual(["ada/a150"]);
  });
});

describe("the text of an action's trace", () => {
  const match = "0123456789abcdef" as MatchId;
  const [first, second] = ["game_00000001", "game_00000002"] as const;
  const at = (kind: Step["kind"], clock: number, more: object = {}) =>
    ({ kind, atMs: 1_800_000_000_000 + clock, clock, ...more }) as Step;

  test("[O68] a refused proposal reads as one sentence per step, in both languages", () => {
    const trace = {
      event: undefined,
      match: { match, operation: "ada/her-play" },
      servers: [
        {
          name: first,
          offsetMs: null,
          steps: [
            at("asked", 10),
            at("proposed", 11, { peer: second, round: 4 }),
            at("rolledBack", 17, {
              peer: second,
              sentClock: 15,
              round: 4,
              reason: "not_your_turn",
            }),
            at("replied", 18, { reason: "unavailable" }),
          ],
        },
        {
          name: second,
          offsetMs: null,
          steps: [
            at("refused", 14, { peer: first, sentClock: 12, round: 4, reason: "not_your_turn" }),
            at("dropped", 21, { peer: first, sentClock: 19, round: 4 }),
          ],
        },
      ],
      silent: [],
    } as unknown as Trace;
    expect(diagramLines(diagramOf(trace), textsIn("en")).join("\n")).toBe(
      `
Action ada/her-play in match 0123456789abcdef

#     MS  CLOCK  PROCESS        STEP                                                                            CONCURRENT WITH
1      –      –  client         sent the request
2   0.00     10  game_00000001  received the request
3   1.00     11  game_00000001  proposed it to game_00000002 (proposal 4)
4   4.00     14  game_00000002  refused the proposal of game_00000001: not_your_turn (proposal 4)
5   7.00     17  game_00000001  rolled the proposal back: game_00000002 refused it, not_your_turn (proposal 4)
6   8.00     18  game_00000001  refused the request: unavailable
7  11.00     21  game_00000002  dropped the proposal of game_00000001 (proposal 4)
`.trimStart(),
    );
    const portuguese = diagramLines(diagramOf(trace), textsIn("pt-br")).join("\n");
    expect(portuguese).toContain("Ação ada/her-play na partida 0123456789abcdef");
    expect(portuguese).toContain("recusou a proposta de game_00000001: not_your_turn (proposta 4)");
  });
});

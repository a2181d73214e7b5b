import { expect, test } from "vitest";
import {
  type ClientFrame,
  type GatewayFrame,
  parseClientFrame,
} from "../../src/gateway/core/frames.ts";
import type { Game } from "../../src/gateway/games.ts";
import { DuelSeat } from "../../src/gateway/live/duel-seat.ts";
import { ProtocolError } from "../../src/protocol/errors.ts";
import type { Look, LookedAt } from "../../src/protocol/game-requests.ts";
import { anasLook, anasView } from "../support/shown-match.ts";
import { until } from "../support/until.ts";

type FrameOf<Type extends ClientFrame["type"]> = ClientFrame & { readonly type: Type };

/** A seat whose game servers answer what a test says. */
function seat() {
  const looks: { readonly after: LookedAt | undefined; settle(look: Look | Error): void }[] = [];
  const sent: (GatewayFrame & { readonly ref: ClientFrame["ref"] })[] = [];
  const failed: unknown[] = [];
  const game = {
    look: (after?: LookedAt) =>
      new Promise<Look>((resolve, reject) => {
        looks.push({
          after,
          settle: (look) => (look instanceof Error ? reject(look) : resolve(look)),
        });
      }),
    act: async () => ({ eventSeq: 9 }),
  } as unknown as Game;
  const made = new DuelSeat(game, {
    send: (frame, ref) => sent.push({ ...frame, ref }),
    fail: (error) => failed.push(error),
  });
  /** Answers the next look. */
  const answer = async (look: Look | Error, number: number) => {
    await until(() => looks.length >= number, `look ${number}`);
    looks[number - 1]?.settle(look);
  };
  const follow = (ref: number) =>
    made.follow(parseClientFrame(JSON.stringify({ type: "duel", ref })) as FrameOf<"duel">);
  return { made, looks, sent, failed, answer, follow };
}

test("[G56] each change of a match is told once, and the next look goes on after it", async () => {
  const { made, looks, sent, answer, follow } = seat();
  follow(1);
  await answer(anasLook(4), 1);
  await answer(anasLook(4), 2);
  await answer(anasLook(5), 3);
  await until(() => looks.length === 4, "the fourth look");
  expect(sent).toMatchObject([
    { type: "duel", look: { view: { eventSeq: 4 } }, ref: 1 },
    { type: "duel", look: { view: { eventSeq: 5 } }, ref: 1 },
  ]);
  const { match } = anasView;
  expect(looks.map(({ after }) => after?.eventSeq)).toEqual([undefined, 4, 4, 5]);
  expect(looks[3]?.after).toEqual({ match, eventSeq: 5 });
  made.end();
});

test("[G56] a lack of game servers is told once, and news when one answers again", async () => {
  const { made, looks, sent, failed, answer, follow } = seat();
  const lost = new ProtocolError("unavailable", "Nobody is connected.");
  follow(1);
  await answer(lost, 1);
  await answer(lost, 2);
  await answer({ phase: "idle" }, 3);
  await until(() => looks.length === 4, "the fourth look");
  expect(failed).toEqual([lost]);
  expect(sent).toMatchObject([{ type: "duel", look: { phase: "idle" } }]);
  made.end();
}, 10_000);

test("[G56] a socket follows one match at a time, and none after its end", async () => {
  const { made, looks, sent, failed, answer, follow } = seat();
  follow(1);
  follow(2);
  await until(() => looks.length === 2, "two looks");
  await answer(anasLook(4), 1);
  await answer(anasLook(4), 2);
  await until(() => looks.length === 3, "the look that goes on");
  expect(sent.map(({ ref }) => ref)).toEqual([2]);
  made.end();
  looks[2]?.settle(anasLook(5));
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect([looks.length, sent.length, failed.length]).toEqual([3, 1, 0]);
});

test("[G56] a frame with a wrong field is refused, and what is followed stays", async () => {
  const { made, looks, sent, follow, answer } = seat();
  follow(1);
  const wrong = parseClientFrame('{"type":"duel","of":"not a name"}') as FrameOf<"duel">;
  expect(() => made.follow(wrong)).toThrow(expect.objectContaining({ code: "name_invalid" }));
  const act = parseClientFrame('{"type":"act","id":"1","match":"x"}') as FrameOf<"act">;
  await expect(made.act(act)).rejects.toMatchObject({ code: "bad_request" });
  await answer(anasLook(4), 1);
  await until(() => looks.length === 2, "the look that goes on");
  expect(sent).toHaveLength(1);
  made.end();
});

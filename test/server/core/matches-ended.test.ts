import { describe, expect, test } from "vitest";
import type { UserName } from "../../../src/protocol/ids.ts";
import { limits } from "../../../src/protocol/limits.ts";
import type { EndedMatch, MatchId, OpenMatch } from "../../../src/protocol/matches.ts";
import { Matches } from "../../../src/server/core/matches/matches.ts";
import { pointsOf, ratedAfter } from "../../../src/server/core/matches/rating.ts";
import type { Fields } from "../../support/account-scene.ts";
import { Arena, idOf, one, openMatch, playersOf, two } from "../../support/arena.ts";

describe("a match ends", () => {
  test("[Q22] the end frees both users, and moves the same number of points from the loser to the winner", () => {
    const arena = new Arena();
    arena.begin(1, ["ana", "bia"]);
    const reply = arena.end(1, { winner: "bia" });
    const result = { match: idOf(1), rules: "duel", users: ["ana", "bia"], winner: "bia" };
    expect(reply).toMatchObject({
      ...result,
      ratings: [1_184, 1_216],
      endedMs: expect.any(Number),
    });
    const { cluster } = arena.scene;
    const atMs = cluster.correctedMs(cluster.server(1));
    expect(Math.abs((reply.endedMs as number) - atMs)).toBeLessThan(5_000);
    const { open, record, ended } = arena.of("ana") as unknown as { ended: EndedMatch[] } & Fields;
    expect(open).toBeUndefined();
    expect(record).toEqual({ rating: 1_184, won: 0, lost: 1, drawn: 0 });
    expect(ended).toMatchObject([result]);
    expect(arena.of("bia").record).toEqual({ rating: 1_216, won: 1, lost: 0, drawn: 0 });
    expect(arena.begin(2, ["ana", "bia"])).toMatchObject({ status: "OK" });
    expect(arena.end(2)).toMatchObject({ ratings: [1_185, 1_215] });
    expect(arena.of("ana").record).toMatchObject({ lost: 1, drawn: 1 });
  });

  test("[Q22] a match that is ended twice has the first end, whatever the second one says", () => {
    const arena = new Arena();
    arena.begin(1, ["ana", "bia"]);
    const first = arena.end(1, { winner: "bia" });
    for (const more of [{ winner: "ana" }, { isVoid: true }, { term: 9 }, { game: two }]) {
      const { ratings, winner, isVoid, endedMs } = arena.end(1, more);
      expect({ ratings, winner, isVoid, endedMs }).toEqual({
        ...{ ratings: first.ratings, winner: "bia", isVoid: undefined, endedMs: first.endedMs },
      });
    }
    expect(arena.of("bia").record).toMatchObject({ won: 1, lost: 0, drawn: 0 });
    expect(arena.of("bia").ended).toHaveLength(1);
  });

  test("[Q22] a host of a term that has passed can't end the match", () => {
    const arena = new Arena();
    arena.begin(1, ["ana", "bia"]);
    arena.term(1, [2, two]);
    const late = { code: "term_passed", retry: false };
    expect(arena.end(1, { winner: "ana" })).toMatchObject(late);
    expect(arena.end(1, { winner: "ana", term: 3 })).toMatchObject(late);
    expect(arena.of("ana").record).toMatchObject({ won: 0 });
    expect(arena.end(1, { winner: "ana", term: 2, game: two })).toMatchObject({ status: "OK" });
  });

  test("[Q22] a match that is void frees both users, and changes no record and no ranking", () => {
    const arena = new Arena();
    arena.begin(1, ["ana", "bia"]);
    expect(arena.end(1, { isVoid: true })).toMatchObject({ isVoid: true, ratings: [1_200, 1_200] });
    expect(arena.of("ana").open).toBeUndefined();
    expect(arena.of("ana").record).toEqual({ rating: 1_200, won: 0, lost: 0, drawn: 0 });
    expect(arena.of("ana").ended).toHaveLength(1);
    expect(arena.ask("ranking").players).toEqual([]);
  });

  test("[Q22] only a player wins, nobody wins a void match, and an unknown match has no end", () => {
    const arena = new Arena();
    expect(arena.end(1)).toMatchObject({ code: "match_not_found" });
    arena.begin(1, ["ana", "bia"]);
    expect(arena.end(1, { winner: "eva" })).toMatchObject({ code: "bad_request" });
    const both = { winner: "ana", isVoid: true };
    expect(arena.end(1, both)).toMatchObject({ code: "bad_request" });
    expect(arena.of("ana").open).toBeDefined();
  });

  test("[Q22] an administrator ends a match as void, and a match that counted stays as it is", () => {
    const arena = new Arena("required");
    const { scene } = arena;
    const [ana, chief] = [scene.user("ana"), scene.user("chief")];
    scene.ask("account", { user: "chief", administrator: true, token: scene.operator });
    arena.begin(1, ["ana", "bia"]);
    const end = (number: number, token: string) =>
      scene.ask("matchVoid", { match: idOf(number), token });
    expect(end(1, ana)).toMatchObject({ reason: "not_administrator" });
    const first = end(1, chief);
    expect(first).toMatchObject({ isVoid: true, users: ["ana", "bia"] });
    expect(end(1, chief)).toMatchObject({ isVoid: true, endedMs: first.endedMs });
    expect(end(2, chief)).toMatchObject({ code: "match_not_found" });
    arena.begin(3, ["ana", "bia"]);
    arena.end(3, { winner: "ana" });
    expect(end(3, chief)).toMatchObject({ code: "match_not_found" });
    expect(arena.of("ana").record).toMatchObject({ won: 1 });
  });
});

test("[Q22] in an open cluster the cluster's secret ends a match as void, and frees its players", () => {
  const arena = new Arena("open");
  arena.begin(1, ["ana", "bia"]);
  const { scene } = arena;
  const asked = { match: idOf(1) };
  expect(scene.ask("matchVoid", asked)).toMatchObject({ code: "forbidden" });
  expect(scene.ask("matchVoid", { ...asked, token: scene.operator })).toMatchObject({
    isVoid: true,
  });
  expect(arena.begin(2, ["ana", "bia"])).toMatchObject({ status: "OK" });
});

describe("who may have matches decided", () => {
  const services: Record<string, Fields> = {
    matchBegin: { match: idOf(1), rules: "duel", players: playersOf("ana", "bia"), host: one },
    matchTerm: { match: idOf(1), term: 2, host: one },
    matchEnd: { match: idOf(1), term: 2, winner: "ana" },
    matches: {},
  };

  test.each(["open", "required"] as const)(
    "[Q20] with --auth %s only a process with the cluster's secret has matches decided, or lists them",
    (auth) => {
      const arena = new Arena(auth);
      const { scene } = arena;
      const grant = { user: "ana", version: "1" };
      const user = auth === "required" ? scene.user("ana") : scene.token(grant);
      const expired = { isOperator: true, expiresMs: 1 };
      const late = scene.token({ user: "operator", version: "" }, expired);
      for (const [service, data] of Object.entries(services)) {
        const ask = (token?: string) => scene.ask(service, { ...data, game: one, token });
        for (const token of [undefined, "forged", user]) {
          expect(["forbidden", "unauthenticated"]).toContain(ask(token).code);
        }
        expect(ask(late)).toMatchObject({ reason: "session_expired" });
        expect(ask(scene.operator)).toMatchObject({ status: "OK" });
      }
      expect(arena.of("ana").record).toMatchObject({ won: 1 });
    },
  );
});

describe("what can be read of matches", () => {
  test("[Q23] open matches come in pages of 200, sorted by id, and each match is in one page", () => {
    const matches = new Matches();
    const ids = Array.from({ length: 2 * limits.matchesPage + 1 }, (_, at) => (at * 89) % 401);
    for (const id of ids) matches.set(openMatch(id));
    const pages: MatchId[][] = [];
    let from: MatchId | undefined;
    do {
      const page = matches.page(from);
      pages.push(page.matches.map(({ match }) => match));
      from = page.next;
    } while (from !== undefined);
    expect(pages.map(({ length }) => length)).toEqual([200, 200, 1]);
    expect(pages.flat()).toEqual(ids.map(idOf).sort());
  });

  test("[Q23] a game server lists the open matches, and those that are over are gone", () => {
    const arena = new Arena();
    arena.begin(2, ["ana", "bia"]);
    arena.begin(1, ["eva", "leo"]);
    const listed = () => (arena.ask("matches").matches as OpenMatch[]).map(({ match }) => match);
    expect(listed()).toEqual([idOf(1), idOf(2)]);
    expect(arena.ask("matches", { from: idOf(2) }).matches).toHaveLength(1);
    arena.end(1);
    expect(listed()).toEqual([idOf(2)]);
  });

  test("[Q23] servers remember a user's last 10 matches, the newest first, and 1,000 matches in all", () => {
    const matches = new Matches();
    for (let number = 1; number <= limits.endedMatches + 2; number += 1) {
      const open = { ...openMatch(number), players: openMatch(1).players };
      matches.set(open);
      matches.end(open, { isVoid: true, endedMs: number });
    }
    expect(matches.remembered()).toHaveLength(limits.endedMatches);
    expect(matches.ended(idOf(2))).toBeUndefined();
    const last = matches.endedOf("b1" as UserName).map(({ endedMs }) => endedMs);
    expect(last).toEqual([1_002, 1_001, 1_000, 999, 998, 997, 996, 995, 994, 993]);
  });

  test("[Q23] the ranking has the 20 best users with a match that counted, and equals by name", () => {
    const arena = new Arena();
    for (let number = 1; number <= 12; number += 1) {
      const users = [`a${number}`, `b${number}`] as [string, string];
      arena.begin(number, users);
      arena.end(number, number === 12 ? { isVoid: true } : { winner: users[1] });
    }
    const ranked = () => arena.ask("ranking").players as { user: string; rating: number }[];
    expect(ranked()).toHaveLength(limits.rankingUsers);
    const best = ranked().slice(0, 11);
    expect(best.map(({ user }) => user)).toEqual(
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11].map((number) => `b${number}`).sort(),
    );
    expect(best[0]).toEqual({ user: "b1", rating: 1_216, won: 1, lost: 0, drawn: 0 });
    arena.begin(20, ["b9", "b2"]);
    arena.end(20, { winner: "b9" });
    expect(ranked()[0]).toMatchObject({ user: "b9", won: 2 });
  });
});

describe("ratings", () => {
  test("[Q22] the winner gets more points the more the loser was ahead, and the sum stays the same", () => {
    expect(ratedAfter([1_200, 1_200], 1)).toEqual([1_216, 1_184]);
    expect(ratedAfter([1_200, 1_200], 0.5)).toEqual([1_200, 1_200]);
    expect(ratedAfter([1_000, 1_400], 1)).toEqual([1_029, 1_371]);
    expect(ratedAfter([1_000, 1_400], 0)).toEqual([997, 1_403]);
    expect(ratedAfter([1_000, 1_400], 0.5)).toEqual([1_013, 1_387]);
    for (let ahead = -900; ahead <= 900; ahead += 7) {
      for (const won of [0, 0.5, 1] as const) {
        const [first, second] = ratedAfter([1_200, 1_200 + ahead], won);
        expect(first + second).toBe(2_400 + ahead);
      }
    }
  });

  test("[D5] no result is so near to half a point that two floating-point libraries could round it differently", () => {
    for (let ahead = -5_000; ahead <= 5_000; ahead += 1) {
      for (const won of [0, 0.5, 1] as const) {
        const points = Math.abs(pointsOf(ahead, won));
        expect(Math.abs((points % 1) - 0.5)).toBeGreaterThan(1e-6);
      }
    }
  });
});

import { describe, expect, test } from "vitest";
import type { ReplyData } from "../../../src/protocol/client-messages.ts";
import type { RequestId, UserName } from "../../../src/protocol/ids.ts";
import { limits } from "../../../src/protocol/limits.ts";
import type { OpenMatch } from "../../../src/protocol/matches.ts";
import type { ForwardedEnd } from "../../../src/protocol/peer-messages.ts";
import { Accounts } from "../../../src/server/core/accounts/accounts.ts";
import { matchOperations } from "../../../src/server/core/matches/match-operations.ts";
import { matchServices } from "../../../src/server/core/matches/match-services.ts";
import { Matches } from "../../../src/server/core/matches/matches.ts";
import { forward } from "../../simulation/operator.ts";
import type { Fields } from "../../support/account-scene.ts";
import { Arena, idOf, one, openMatch, playersOf, three, two } from "../../support/arena.ts";
import { coordinator, others } from "../../support/coordinators.ts";
import { checkpointText } from "../../support/core-cluster.ts";
import type { VirtualServer } from "../../support/virtual-server.ts";

describe("a match begins", () => {
  test("[Q20] a match that begins has the term 1, and both users sit in it at every server", () => {
    const arena = new Arena();
    const reply = arena.begin(1, ["ana", "bia"]);
    const begun = { match: idOf(1), rules: "duel", players: playersOf("ana", "bia") };
    expect(reply).toMatchObject({ ...begun, term: 1, host: one, shadow: two, status: "OK" });
    arena.scene.cluster.runUntilEqual();
    for (const at of [1, 2, 3]) {
      for (const user of ["ana", "bia"]) {
        const { open, record, ended } = arena.ask("match", { user, at });
        expect(open).toEqual({ ...begun, term: 1, host: one, shadow: two });
        expect(record).toEqual({ rating: 1_200, won: 0, lost: 0, drawn: 0 });
        expect(ended).toEqual([]);
      }
    }
  });

  test("[Q20] a user who sits in an open match gets no second seat, and nobody else is seated instead", () => {
    const arena = new Arena();
    arena.begin(1, ["ana", "bia"]);
    for (const users of [
      ["ana", "eva"],
      ["eva", "bia"],
      ["bia", "ana"],
    ] as [string, string][]) {
      expect(arena.begin(2, users)).toMatchObject({ code: "seated", retry: false });
    }
    expect(arena.of("eva").open).toBeUndefined();
    expect(arena.begin(2, ["eva", "leo"])).toMatchObject({ status: "OK" });
  });

  test("[Q20] of two game servers that seat the same user at the same time exactly one succeeds", () => {
    const arena = new Arena();
    const { cluster, operator } = arena.scene;
    const asked = [2, 3].map((at) => {
      const [game, user] = [
        [two, "bia"],
        [three, "eva"],
      ][at - 2] as [string, string];
      const fields = { match: idOf(at), rules: "duel", players: playersOf("ana", user) };
      const data = { ...fields, host: game, game, token: operator };
      return cluster.ask(cluster.server(at), "matchBegin", data);
    });
    cluster.runUntil(() => asked.every(({ reply }) => reply !== undefined), "both are answered");
    const codes = asked.map(({ reply }) => reply?.code ?? reply?.status);
    expect(codes.sort()).toEqual(["OK", "seated"]);
    cluster.runUntilEqual();
    const { open } = arena.of("ana") as unknown as { open: OpenMatch };
    const seated = open.players.map(({ user }) => user);
    for (const user of ["bia", "eva"]) {
      expect(arena.of(user).open !== undefined).toBe(seated.includes(user as UserName));
    }
  });

  test("[Q20] a match that is begun twice begins once, and with other players it is refused", () => {
    const arena = new Arena();
    const first = arena.begin(1, ["ana", "bia"], { id: "1" });
    const again = arena.begin(1, ["ana", "bia"], { id: "1", at: 2 });
    expect(again.slot).toBe(first.slot);
    expect(arena.begin(1, ["ana", "bia"], { id: "2" })).toMatchObject({ status: "OK", term: 1 });
    expect(arena.begin(1, ["ana", "eva"], { id: "3" })).toMatchObject({ code: "id_reused" });
    expect(arena.begin(1, ["ana", "bia"], { host: three })).toMatchObject({ code: "id_reused" });
    expect(arena.begin(2, ["eva", "leo"], { id: "1" })).toMatchObject({ code: "id_reused" });
    arena.term(1, [2, two]);
    const moved = arena.begin(1, ["ana", "bia"], { id: "4" });
    expect(moved).toMatchObject({ status: "OK", term: 2, host: two });
  });

  test("[Q20] a match that is over does not begin again", () => {
    const arena = new Arena();
    arena.begin(1, ["ana", "bia"]);
    arena.end(1);
    expect(arena.begin(1, ["ana", "bia"])).toMatchObject({ code: "match_not_found" });
    expect(arena.of("ana").open).toBeUndefined();
  });

  test("[Q20] nobody plays against themselves, and a shadow is another game server than the host", () => {
    const arena = new Arena();
    const wrong: Fields[] = [
      { players: playersOf("ana", "ana") },
      { players: playersOf("ana") },
      { players: playersOf("ana", "bia", "eva") },
      { players: [{ user: "ana" }, { user: "bia" }] },
      { shadow: one },
      { host: "server_00000001" },
      { game: "ana" },
      { match: "1" },
      { rules: "chess" },
    ];
    for (const more of wrong) {
      expect(arena.begin(1, ["ana", "bia"], more)).toMatchObject({ code: "bad_request" });
    }
    const { cluster } = arena.scene;
    const server = coordinator(cluster);
    const [from] = others(cluster, server) as [VirtualServer];
    const by = { by: one as string as UserName, id: "1" as RequestId, since: 0 };
    const fields = { match: idOf(1), rules: "duel", players: playersOf("ana", "ana"), host: one };
    const operation = { ...by, kind: "matchBegin", ...fields, rights: { isOperator: true } };
    let told: ForwardedEnd | undefined;
    forward(cluster, { operation, server, from }, (end) => {
      told = end;
    });
    cluster.runUntil(() => told !== undefined, "it is decided");
    expect(told).toMatchObject({ outcome: "invalid" });
    expect(arena.ask("matches").matches).toEqual([]);
  });

  test("[Q20] a further match than may be open at once is refused, and its request may succeed later", () => {
    const matches = new Matches();
    for (let number = 1; number <= limits.openMatches; number += 1) matches.set(openMatch(number));
    const by = { by: one as string as UserName, id: "1" as RequestId, since: 0 };
    const fields = { match: idOf(0), rules: "duel", players: playersOf("ana", "bia"), host: one };
    const operation = { ...by, kind: "matchBegin", ...fields, rights: { isOperator: true } };
    const { matchBegin } = matchOperations(matches, new Accounts());
    expect(matchBegin(operation, 0)).toBe("too_many_matches");
    const services = { matches, log: { find: () => undefined, applied: 0 } };
    const decide = () => {
      const request = { ...fields, id: "1", game: one, service: "matchBegin" };
      return matchServices.matchBegin.decide(services as never, request as never, {} as never);
    };
    // The log does not see the request, so the next try is no repetition of a refused operation.
    expect(decide()).toMatchObject({ next: "refuse", error: { code: "unavailable", retry: true } });
    matches.end(openMatch(7), { isVoid: true, endedMs: 0 });
    expect(decide()).toMatchObject({ next: "decide" });
    expect(matchBegin(operation, 0)).toMatchObject({ outcome: "done" });
  });
});

describe("the terms of a match", () => {
  test("[Q21] the shadow becomes the host in the next term, and the answer is the term in force", () => {
    const arena = new Arena();
    arena.begin(1, ["ana", "bia"]);
    const reply = arena.term(1, [2, two], { game: two, shadow: three });
    expect(reply).toMatchObject({ status: "OK", term: 2, host: two, shadow: three });
    expect(arena.of("ana").open).toMatchObject({ term: 2, host: two, shadow: three });
    // The host stays, and gets another shadow.
    expect(arena.term(1, [3, two], { shadow: one })).toMatchObject({ term: 3, shadow: one });
  });

  test("[Q21] of a host and a shadow that want the same term exactly one wins, and both learn which one", () => {
    const arena = new Arena();
    const { cluster, operator } = arena.scene;
    arena.begin(1, ["ana", "bia"]);
    const asked = [one, two].map((host, at) => {
      const fields = { match: idOf(1), term: 2, host, game: host, token: operator };
      const shadow = at === 0 ? three : undefined;
      return cluster.ask(cluster.server(at + 2), "matchTerm", { ...fields, shadow });
    });
    cluster.runUntil(() => asked.every(({ reply }) => reply !== undefined), "both are answered");
    const [first, second] = asked.map(({ reply }) => {
      expect(reply).toMatchObject({ status: "OK", term: 2 });
      return [reply?.host, reply?.shadow];
    });
    expect(second).toEqual(first);
    expect([
      [one, three],
      [two, undefined],
    ]).toContainEqual(first);
  });

  test("[Q21] only the present host and shadow can be the host of the next term, because only they have the match", () => {
    const arena = new Arena();
    arena.begin(1, ["ana", "bia"]);
    const present = { status: "OK", term: 1, host: one, shadow: two };
    for (const [term, host] of [
      [2, three],
      [1, two],
      [3, two],
    ] as const) {
      expect(arena.term(1, [term, host])).toMatchObject(present);
    }
    arena.term(1, [2, two], { shadow: null });
    // The former host is neither host nor shadow now.
    expect(arena.term(1, [3, one])).toMatchObject({ term: 2, host: two });
    expect(arena.term(1, [3, one]).shadow).toBeUndefined();
  });

  test("[Q21] a match that is over or never was has no next term", () => {
    const arena = new Arena();
    expect(arena.term(1, [2, two])).toMatchObject({ code: "match_not_found", retry: false });
    arena.begin(1, ["ana", "bia"]);
    arena.end(1);
    expect(arena.term(1, [2, two])).toMatchObject({ code: "match_not_found" });
  });
});

describe("matches over crashes", () => {
  test("[Q22] each match begins and ends once while coordinators crash, and all servers agree", () => {
    const arena = new Arena();
    const { cluster, operator } = arena.scene;
    const asked = new Map<string, ReplyData>();
    // A game server asks again, at another server, until it is answered.
    const ask = (
      { service, ...data }: Fields & { service: string },
      at: number,
      then = () => {},
    ) => {
      const id = `${service} ${data.match}`;
      const server = cluster.server(1 + (at % 3));
      if (asked.has(id)) return;
      if (server.isRunning && server.inRotation) {
        const game = at % 2 === 0 ? one : two;
        const own = { ...data, game, token: operator, id: `${id} ${game}` };
        const question = cluster.ask(server, service, own);
        cluster.time.after(300, () => {
          const { reply } = question;
          if (reply === undefined || reply.retry === true || asked.has(id)) return;
          asked.set(id, reply);
          then();
        });
      }
      cluster.time.after(400, () => ask({ service, ...data }, at + 1, then));
    };
    const numbers = Array.from({ length: 30 }, (_, at) => at + 1);
    for (const number of numbers) {
      const users = [`a${number}`, `b${number}`];
      const match = idOf(number);
      const beginning = { match, rules: "duel", players: playersOf(...users), host: one };
      const end = { match, term: 1, winner: users[number % 2] };
      cluster.time.after(60 * number, () => {
        ask({ service: "matchBegin", ...beginning }, number, () => {
          ask({ service: "matchEnd", ...end }, number);
        });
      });
    }
    for (let kills = 0; kills < 3; kills += 1) {
      cluster.runFor(500);
      const first = coordinator(cluster);
      cluster.kill(first);
      cluster.runFor(1_000);
      cluster.start(first);
    }
    cluster.runUntil(() => asked.size === 2 * numbers.length, "all have ended", 60_000);
    cluster.runUntilEqual();
    expect([...asked.values()].every(({ status }) => status === "OK")).toBe(true);
    for (const number of numbers) {
      const records = [`a${number}`, `b${number}`].map((user) => arena.of(user).record);
      const [lost, won] = number % 2 === 1 ? records : records.reverse();
      expect(won).toEqual({ rating: 1_216, won: 1, lost: 0, drawn: 0 });
      expect(lost).toEqual({ rating: 1_184, won: 0, lost: 1, drawn: 0 });
    }
    expect(new Set(cluster.servers.map(checkpointText)).size).toBe(1);
    // A restarted server has the same from its saved state.
    const [server] = cluster.servers as [VirtualServer];
    const before = checkpointText(server);
    cluster.kill(server);
    cluster.start(server);
    cluster.runUntilEqual();
    expect(checkpointText(server)).toBe(before);
  });
});

import { expect, test } from "vitest";
import type { OpenMatch } from "../../../src/protocol/matches.ts";
import { ada, bob, TwoServers } from "./two-servers.ts";

const enter = { type: "enter", rules: "clash" } as const;
const look = { type: "look", waitMs: 0 } as const;

/** Ada waits at both servers, because she has not got the answer of the second one. */
function waitingAtBoth(): TwoServers {
  const servers = new TwoServers();
  servers.get(ada, enter, servers.second);
  servers.get(ada, enter, servers.first);
  return servers;
}

/** Bob comes to the second server. It seats Bob and Ada in a match without a shadow. */
function seatAtSecond(servers: TwoServers): OpenMatch {
  servers.get(bob, enter, servers.second);
  const { world } = servers;
  world.time.runUntil(() => world.arbiter.list(servers.second.name).length === 1, "a match");
  return world.arbiter.list(servers.second.name)[0] as OpenMatch;
}

test("a player who waits at two servers, and is seated by one of them, waits no longer at the other", () => {
  const servers = waitingAtBoth();
  const open = seatAtSecond(servers);
  servers.runFor(6_000);
  expect(servers.get(ada, look, servers.first)).toMatchObject({ answer: { phase: "waiting" } });
  servers.first.take({ type: "listed", matches: [open] });
  const seen = servers.get(ada, look, servers.first);
  expect(seen).toMatchObject({ answer: { phase: "match", view: { match: open.match } } });
});

test("a player who came after a list of matches was asked for waits on, whatever the list says", () => {
  const servers = new TwoServers();
  servers.get(ada, enter, servers.second);
  const open = seatAtSecond(servers);
  servers.done(ada, { type: "giveUp" }, open.match);
  servers.runFor(1_000);
  servers.get(ada, enter, servers.first);
  servers.first.take({ type: "listed", matches: [open] });
  expect(servers.get(ada, look, servers.first)).toMatchObject({ answer: { phase: "waiting" } });
});

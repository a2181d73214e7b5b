import { describe, expect, test } from "vitest";
import type { GameMessage } from "../../../src/game/core/effects.ts";
import { isLogOf } from "../../../src/game/core/lawful.ts";
import { type Draft, type MatchEvent, signed } from "../../../src/game/core/match-event.ts";
import type { GameName, MatchId } from "../../../src/protocol/matches.ts";
import { signer } from "../../simulation/matches/signer.ts";
import { ada, bob, decks, eve, TwoServers } from "./two-servers.ts";

const ready = (user: string) => ({ type: "ready", cards: decks[user] ?? [] }) as const;

describe("an invalid action has a code of its own and changes neither server's log", () => {
  const begun = () => {
    const servers = new TwoServers();
    servers.begin();
    return servers;
  };
  const started = (rules: "clash" | "duel" = "clash") => {
    const servers = new TwoServers();
    servers.start(rules);
    return servers;
  };
  const cases: [string, TwoServers, (servers: TwoServers) => unknown][] = [
    ["not_in_match", started(), (servers) => servers.done(eve, { type: "giveUp" })],
    [
      "match_not_found",
      started(),
      (servers) => servers.done(ada, { type: "giveUp" }, "0123456789abcdef" as MatchId),
    ],
    [
      "not_started",
      begun(),
      (servers) => servers.done(ada, { type: "play", card: "dragon-common-1" }),
    ],
    [
      "deck_wrong",
      begun(),
      (servers) => servers.done(ada, { type: "ready", cards: ["dragon-common-1"] }),
    ],
    ["already_ready", started(), (servers) => servers.done(ada, ready(ada))],
    [
      "card_not_in_hand",
      started(),
      (servers) => servers.done(ada, { type: "play", card: "wolf-common-1" }),
    ],
    ["move_unknown", started(), (servers) => servers.done(ada, { type: "pass" })],
    [
      "not_your_turn",
      started("duel"),
      (servers) => {
        const { seat } = servers.host.copy.state.table as { seat: 0 | 1 };
        const other = servers.host.copy.state.players[seat === 0 ? 1 : 0];
        return servers.done(other.user, { type: "pass" });
      },
    ],
  ];

  test.each(cases)("%s", (code, servers, act) => {
    const before = servers.logs;
    expect(act(servers)).toEqual({ refused: code });
    servers.runFor(1_000);
    expect(servers.logs).toEqual(before);
  });

  test("already_played", () => {
    const servers = started();
    servers.done(ada, { type: "play", card: "dragon-common-1" });
    const before = servers.logs;
    const second = servers.done(ada, { type: "play", card: "dragon-common-2" });
    expect(second).toEqual({ refused: "already_played" });
    expect(servers.logs).toEqual(before);
  });

  test("match_over", () => {
    const servers = started();
    servers.done(ada, { type: "giveUp" });
    const before = servers.logs;
    expect(servers.done(bob, ready(bob))).toEqual({ refused: "match_over" });
    expect(servers.logs).toEqual(before);
  });

  test("seated", () => {
    const servers = begun();
    expect(servers.get(ada, { type: "enter", rules: "duel" })).toEqual({ refused: "seated" });
  });
});

const gaveUp: Draft = { type: "GAVE_UP", data: { seat: 0 } };

/** Returns a rightly signed event after the host's log. */
function nextEvent({ host }: TwoServers, draft: Draft): MatchEvent {
  return host.copy.made([draft], 0)[0] as MatchEvent;
}

describe("an event that must not be in a log has a code of its own", () => {
  test.each([
    ["the number of another event", 2],
    ["a number that is too high", 5],
  ])("event_seq_wrong, if an event has %s", (_what, eventSeq) => {
    const servers = new TwoServers();
    servers.start();
    const { copy } = servers.shadow;
    const event = signed({ ...nextEvent(servers, gaveUp), eventSeq }, copy.signature, signer);
    expect(copy.whyUnfit([event])).toBe("event_seq_wrong");
  });

  test("signature_wrong, if an event is signed after an event that is not the last one", () => {
    const servers = new TwoServers();
    servers.start();
    const { copy } = servers.shadow;
    const previous = copy.events.at(-2)?.signature ?? "";
    const event = signed(nextEvent(servers, gaveUp), previous, signer);
    expect(copy.whyUnfit([event])).toBe("signature_wrong");
  });

  test("signature_wrong, if a field of a signed event is another one", () => {
    const servers = new TwoServers();
    servers.start();
    const event = { ...nextEvent(servers, gaveUp), data: { seat: 1 } } as MatchEvent;
    expect(servers.shadow.copy.whyUnfit([event])).toBe("signature_wrong");
  });
});

describe("a shadow", () => {
  const withShadow = () => {
    const servers = new TwoServers();
    servers.start();
    const { match, term } = servers.shadow.copy;
    const from = term.host;
    const hear = (message: GameMessage) => servers.deliver(servers.shadowGame, from, message);
    return { servers, match, term, hear };
  };

  test("answers `stale` with the present term to a host of a lower term, and changes nothing", () => {
    const { servers, match, term, hear } = withShadow();
    const before = servers.logs;
    const events = [nextEvent(servers, gaveUp)];
    const answers = hear({ type: "commit", match, term: 0, round: 9, events });
    expect(answers).toEqual([{ type: "stale", match, term }]);
    expect(servers.logs).toEqual(before);
  });

  test("answers `behind` to a proposal with a gap before it, and to none that is stale", () => {
    const { servers, match, hear } = withShadow();
    const propose = {
      type: "propose",
      match,
      term: 1,
      round: 9,
      timeMs: 0,
      operations: [],
    } as const;
    expect(hear({ ...propose, base: 7 })).toEqual([{ type: "behind", match, term: 1 }]);
    expect(hear({ ...propose, base: 2 })).toEqual([]);
    expect(servers.shadow.shadow.isInDoubt).toBe(false);
  });

  test("answers a repeated commit with what it has on disk, and does not take it twice", () => {
    const { servers, match, hear } = withShadow();
    const before = servers.logs;
    const events = servers.host.copy.events.slice(3);
    const answers = hear({ type: "commit", match, term: 1, round: 2, events });
    expect(answers).toEqual([{ type: "committed", match, term: 1, length: 4 }]);
    expect(servers.logs).toEqual(before);
  });

  test("answers `behind` to a commit of which it knows no proposal, and changes nothing", () => {
    const { servers, match, hear } = withShadow();
    const before = servers.logs;
    const events = [nextEvent(servers, gaveUp)];
    const answers = hear({ type: "commit", match, term: 1, round: 9, events });
    expect(answers).toEqual([{ type: "behind", match, term: 1 }]);
    expect(servers.logs).toEqual(before);
  });

  test("does not adopt a log whose signatures are right and that the rules can't have made", () => {
    const { servers, match, term, hear } = withShadow();
    const before = servers.logs;
    const data = { seat: 0, card: "mage-common-9" } as const;
    const event = nextEvent(servers, { type: "CARD_PLAYED", data });
    const events = [...servers.host.copy.events, event];
    expect(hear({ type: "adopt", match, term, events })).toEqual([]);
    expect(servers.logs).toEqual(before);
  });
});

describe("the log of a match", () => {
  test("is lawful as the servers have made it", () => {
    const servers = new TwoServers();
    servers.start("duel");
    for (let turn = 0; turn < 12; turn += 1) {
      servers.runFor(20_000);
      // The players are still there.
      for (const user of [ada, bob]) servers.get(user, { type: "look", waitMs: 0 });
    }
    servers.done(ada, { type: "giveUp" });
    const { events, match } = servers.host.copy;
    expect(new Set(events.map(({ type }) => type))).toContain("ROUND_END");
    expect(isLogOf(match, events, signer)).toBe(true);
  });

  test.each([
    ["without its first event", (events: readonly MatchEvent[]) => events.slice(1)],
    ["without an event in the middle", (events: readonly MatchEvent[]) => events.toSpliced(1, 1)],
    [
      "with an event twice",
      (events: readonly MatchEvent[]) => events.toSpliced(1, 0, events[1] as MatchEvent),
    ],
    ["without any event", () => []],
  ])("is invalid %s", (_what, change) => {
    const servers = new TwoServers();
    servers.start();
    const { events, match } = servers.host.copy;
    expect(isLogOf(match, change(events), signer)).toBe(false);
  });

  test("of another match is invalid", () => {
    const servers = new TwoServers();
    servers.start();
    expect(isLogOf("0123456789abcdef" as MatchId, servers.host.copy.events, signer)).toBe(false);
  });
});

test("a server that hears of a term from a server that is not its host does not adopt its log", () => {
  const servers = new TwoServers();
  servers.start();
  const { match, term, events } = servers.host.copy;
  const before = servers.logs;
  const from = "game_ffffffff" as GameName;
  servers.deliver(servers.shadowGame, from, { type: "adopt", match, term, events });
  expect(servers.logs).toEqual(before);
});

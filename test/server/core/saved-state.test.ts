import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { digest } from "../../../src/platform/digest.ts";
import type { Event } from "../../../src/protocol/event.ts";
import type { MutableVector, Vector } from "../../../src/protocol/vector.ts";
import type { Retention } from "../../../src/server/core/chat/chat-state.ts";
import { readHistory } from "../../../src/server/core/chat/history.ts";
import { factsOf, machineOf, newContent, type Operation } from "../../../src/server/core/facts.ts";
import type { Facts } from "../../../src/server/core/replica/fact.ts";
import type { SavedState } from "../../../src/server/core/replica/state-machine.ts";
import { serverName } from "../../support/event-lines.ts";

const retention: Retention = { channelMessages: 5, userMessages: 4, userLogins: 3 };

const anyName = fc.constantFrom("ana", "bia", "caio");
const anyText = fc.string({ unit: "grapheme", maxLength: 5 });
const anyChannel = fc.constantFrom("geral", "jogos");
const anyHook = fc.constantFrom("0a".repeat(16), "0b".repeat(16));
const anyEpoch = fc.record({ view: fc.integer({ min: 1, max: 2 }), term: fc.nat(3) });

/** The content of a slot. */
function operationsOf(slot: number): object[] {
  const by = ["ana", "bia"][slot % 2] as string;
  const asked = { by, id: `op ${slot}`, since: 0, user: by, credential: `hash ${slot}` };
  return [
    { ...asked, kind: "register", version: `${slot}`, looks: [by] },
    { ...asked, id: `op ${slot}+`, kind: "rehash", from: `${slot - 1}` },
    ...matchOf(slot),
  ];
}

/** A match that begins in a slot; every other one ends there too, and the last one finds no seats. */
function matchOf(slot: number): object[] {
  const game = "game_0000000a";
  const of = {
    by: game,
    since: 0,
    match: `${slot}`.padStart(16, "0"),
    rights: { isOperator: true },
  };
  const players = ["ana", "bia"].map((user) => ({ user, game }));
  const begin = { id: `begin ${slot}`, kind: "matchBegin", rules: "duel", players, host: game };
  const end = { id: `end ${slot}`, kind: "matchEnd", term: 1, winner: "bia" };
  return [{ ...of, ...begin }, ...(slot % 2 === 1 ? [{ ...of, ...end }] : [])];
}

/** Random data for each operation: an operation without a row here is a compile error. */
const drawn: { readonly [O in Operation]: fc.Arbitrary<object> } = {
  login: fc.record({ user: anyName, isProven: fc.constantFrom(true, undefined) }),
  channel: fc.record({ channel: anyChannel, user: fc.option(anyName, { nil: undefined }) }),
  publication: fc.record({
    user: anyName,
    channel: anyChannel,
    message: anyText,
    hook: fc.constantFrom(undefined, "deploy"),
  }),
  // A message to oneself is valid too.
  message: fc.record({ src: anyName, dst: anyName, message: anyText }),
  hook: fc.record({
    hook: anyHook,
    channel: anyChannel,
    name: fc.constantFrom("deploy", "alert"),
    by: anyName,
    isProven: fc.constantFrom(true, undefined),
  }),
  unhook: fc.record({ hook: anyHook, by: anyName }),
  removal: fc.record({ channel: anyChannel, isRemoved: fc.boolean(), by: anyName }),
  coordinator: fc.record({ epoch: anyEpoch, sees: fc.constantFrom({}, { [serverName(1)]: 3 }) }),
  // Whatever is settled in a slot has the same content in every epoch (D5).
  decision: fc.record({ epoch: anyEpoch, slot: fc.integer({ min: 1, max: 4 }) }).map((one) => {
    return { ...one, time: one.slot, ops: operationsOf(one.slot) };
  }),
  settled: fc.record({ epoch: anyEpoch, upTo: fc.integer({ min: 1, max: 4 }) }),
};
const anyData = fc.oneof(
  ...Object.entries(drawn).map(([operation, data]) =>
    data.map((fields) => ({ operation, fields })),
  ),
);

/** Events of three servers, with duplicates, in the total order. */
const anyEvents = fc
  .array(
    fc.record({
      server: fc.integer({ min: 1, max: 3 }),
      later: fc.nat(1),
      id: fc.option(fc.integer({ min: 1, max: 8 }), { nil: undefined }),
      data: anyData,
    }),
    { maxLength: 60 },
  )
  .map((drawn) => {
    const last = new Map<number, { seq: number; clock: number }>();
    let clock = 1;
    return drawn.map(({ server, later, id, data: { operation, fields } }): Event => {
      const { seq, clock: own } = last.get(server) ?? { seq: 0, clock: 0 };
      clock = Math.max(clock + later, own + 1);
      last.set(server, { seq: seq + 1, clock });
      return {
        server: serverName(server),
        seq: seq + 1,
        clock,
        timestamp: 1_700_000_000_000 + clock,
        operation,
        data: { ...fields, id: id === undefined ? undefined : `id-${id}` },
      };
    });
  });

function emptyState() {
  const content = newContent(digest, retention);
  const facts = machineOf(factsOf(content), content);
  const { chat } = content;
  return { facts, chat };
}

function stateOf(events: readonly Event[]): Facts {
  const { facts } = emptyState();
  for (const event of events) facts.apply(event);
  return facts;
}

/** Saves a state. @returns what a starting server restores, and the files as text */
function save(state: Facts): { saved: SavedState; text: string } {
  const { files, rows } = state.freeze();
  const written = files.map(({ name, lines }) => ({ name, lines: [...lines] }));
  const writtenRows = [...rows];
  const entries = (name: string) => {
    const list = written.find((file) => file.name === name)?.lines ?? [];
    return list.filter((line) => line.length > 3).map((line) => line.replace(/,?\n$/, ""));
  };
  const text = JSON.stringify([written, writtenRows], undefined, 1);
  return { saved: { entries, rows: writtenRows }, text };
}

function nameOf({ server, seq }: { readonly server: string; readonly seq: number }): string {
  return `${server} ${seq}`;
}

function textOf(events: readonly Event[]): string {
  return save(stateOf(events)).text;
}

/** The events that a replica with this vector has. */
function upTo(events: readonly Event[], vector: Vector): Event[] {
  return events.filter(({ server, seq }) => seq <= (vector[server] ?? 0));
}

const anyVector = fc
  .tuple(fc.nat(25), fc.nat(25), fc.nat(25))
  .map((counts) => Object.fromEntries(counts.map((seq, at) => [serverName(at + 1), seq])));

/** The higher `seq` of both vectors, for each server. */
function joined(a: Vector, b: Vector): Vector {
  const both: MutableVector = { ...a };
  for (const [server, seq] of Object.entries(b) as [keyof Vector, number][]) {
    both[server] = Math.max(both[server] ?? 0, seq);
  }
  return both;
}

describe("a saved state", () => {
  test("[R4] a saved state is the same in whatever order the events of several servers came", () => {
    fc.assert(
      fc.property(anyEvents, fc.infiniteStream(fc.nat(2)), (events, chance) => {
        const queues = [1, 2, 3].map((number) =>
          events.filter(({ server }) => server === serverName(number)),
        );
        const shuffled: Event[] = [];
        while (shuffled.length < events.length) {
          const next = queues[chance.next().value as number]?.shift();
          if (next !== undefined) shuffled.push(next);
        }
        expect(textOf(shuffled)).toBe(textOf(events));
      }),
      { numRuns: 500 },
    );
  });

  test("[J1] [R4] a restored state gives the same files when it is saved again", () => {
    fc.assert(
      fc.property(anyEvents, (events) => {
        const { saved, text } = save(stateOf(events));
        const { facts: again } = emptyState();
        again.restore(saved, {});
        expect(save(again).text).toBe(text);
      }),
      { numRuns: 500 },
    );
  });

  test("[H4] [J3] a page with `since` says `complete` exactly if the reader misses no dropped message, even after a restart", () => {
    fc.assert(
      fc.property(anyEvents, anyVector, (events, since) => {
        const { facts, chat } = emptyState();
        facts.restore(save(stateOf(events)).saved, {});
        for (const { name, conversation } of chat.channels.values()) {
          const kept = new Set(conversation.window.entries.slice().map(nameOf));
          const isMissed = (event: Event) =>
            event.operation === "publication" &&
            event.data.channel === name &&
            event.seq > (since[event.server] ?? 0) &&
            !kept.has(nameOf(event));
          const query = { conversation: { channel: name }, since, limit: 1_000 };
          const bounds = { committed: {}, room: { bytes: 1_000_000 } };
          const { complete } = readHistory(conversation, query, bounds);
          expect(complete).toBe(!events.some(isMissed));
        }
      }),
      { numRuns: 500 },
    );
  });

  test("[J1] a saved state of an older version, whose rows do not name their operation, restores to the same state", () => {
    fc.assert(
      fc.property(anyEvents, (drawnEvents) => {
        // Older versions had neither hooks nor decisions.
        const later = ["hook", "unhook", "decision", "settled"];
        const events = drawnEvents.filter(({ operation }) => !later.includes(operation));
        const { saved, text } = save(stateOf(events));
        const rows = Array.from(saved.rows, (row) => {
          return JSON.stringify({ ...JSON.parse(row), operation: undefined });
        });
        const { facts: again } = emptyState();
        again.restore({ ...saved, rows }, {});
        expect(save(again).text).toBe(text);
      }),
    );
  });

  test("[J1] [R4] restoring a saved state and applying the later events gives the same state as applying all events", () => {
    fc.assert(
      fc.property(anyEvents, anyVector, (events, vector) => {
        const before = upTo(events, vector);
        const { facts: state } = emptyState();
        state.restore(save(stateOf(before)).saved, {});
        for (const event of events) if (!before.includes(event)) state.apply(event);
        expect(save(state).text).toBe(textOf(events));
      }),
      { numRuns: 500 },
    );
  });

  test("[R8] [R4] a peer's saved state adds the events that the server's own state lacks", () => {
    fc.assert(
      fc.property(anyEvents, anyVector, anyVector, (events, held, theirs) => {
        const state = stateOf(upTo(events, held));
        state.restore(save(stateOf(upTo(events, theirs))).saved, held);
        expect(save(state).text).toBe(textOf(upTo(events, joined(held, theirs))));
      }),
      { numRuns: 1_000 },
    );
  });

  test("[R8] restoring the same saved state a second time changes nothing", () => {
    fc.assert(
      fc.property(anyEvents, anyVector, (events, vector) => {
        const state = stateOf(upTo(events, vector));
        const { saved, text } = save(stateOf(events));
        state.restore(saved, vector);
        state.restore(saved, joined(vector, vectorOf(events)));
        expect(save(state).text).toBe(text);
      }),
      { numRuns: 300 },
    );
  });

  test("[J3] a saved state has a private message if the sender or the recipient still keeps the message", () => {
    const server = serverName(1);
    const message = (seq: number, src: string, dst: string): Event => ({
      server,
      seq,
      clock: seq,
      timestamp: seq,
      operation: "message",
      data: { src, dst, message: `${seq}` },
    });
    const events = [message(1, "ana", "bia")];
    for (let seq = 2; seq <= 6; seq += 1) events.push(message(seq, "bia", "caio"));
    const { saved, text } = save(stateOf(events));
    const kept = [...saved.entries("messages.json")].map((line) => JSON.parse(line).seq);
    // Bia's window holds 3 to 6; Ana's holds 1 alone.
    expect(kept).toEqual([1, 3, 4, 5, 6]);
    const { facts: again, chat } = emptyState();
    again.restore(saved, {});
    expect(save(again).text).toBe(text);
    expect(chat.user("bia" as never).conversation.window.entries.length).toBe(4);
  });

  test("a saved state contains no events that come while it is written", () => {
    const events = fc.sample(anyEvents, { numRuns: 20, seed: 1 });
    for (const list of events) {
      const half = list.slice(0, list.length / 2);
      const state = stateOf(half);
      const { files, rows } = state.freeze();
      for (const event of list.slice(half.length)) state.apply(event);
      const written = files.map(({ name, lines }) => ({ name, lines: [...lines] }));
      expect(JSON.stringify([written, [...rows]], undefined, 1)).toBe(textOf(half));
    }
  });

  test.each([
    ["no JSON", "{"],
    ["no place", '{"login":"ana"}'],
    ["a wrong server", '{"login":"ana","server":"x","seq":1,"clock":1,"timestamp":"2026-01-01"}'],
    [
      "no name",
      '{"login":7,"server":"server_00000001","seq":1,"clock":1,"timestamp":"2026-01-01"}',
    ],
  ])("[J2] a saved state is refused if a row has %s", (_, row) => {
    const saved = { rows: [row], entries: () => [] };
    expect(() => emptyState().facts.restore(saved, {})).toThrow();
  });
});

function vectorOf(events: readonly Event[]): Vector {
  return Object.fromEntries(events.map(({ server, seq }) => [server, seq]));
}

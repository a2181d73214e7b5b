import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Event } from "../../../src/protocol/event.ts";
import type { MutableVector, Vector } from "../../../src/protocol/vector.ts";
import { ChatState, type Retention } from "../../../src/server/core/chat/chat-state.ts";
import { foldEvent } from "../../../src/server/core/facts.ts";
import {
  foldSaved,
  freeze,
  type SavedState,
} from "../../../src/server/core/replica/saved-state.ts";
import { serverName } from "../../support/event-lines.ts";

const retention: Retention = { channelMessages: 5, userMessages: 4, userLogins: 3 };

const anyName = fc.constantFrom("ana", "bia", "caio");
const anyData = fc.oneof(
  fc.record({
    operation: fc.constant("login"),
    user: anyName,
    isProven: fc.constantFrom(true, undefined),
  }),
  fc.record({
    operation: fc.constant("channel"),
    channel: fc.constantFrom("geral", "jogos"),
    user: fc.option(anyName, { nil: undefined }),
  }),
  fc.record({
    operation: fc.constant("publication"),
    user: anyName,
    channel: fc.constantFrom("geral", "jogos"),
    message: fc.string({ unit: "grapheme", maxLength: 5 }),
  }),
  // Also to oneself.
  fc.record({
    operation: fc.constant("message"),
    src: anyName,
    dst: anyName,
    message: fc.string({ unit: "grapheme", maxLength: 5 }),
  }),
  fc.record({
    operation: fc.constant("password"),
    user: anyName,
    credential: fc.constantFrom("one hash", "another hash"),
    since: fc.integer({ min: 0, max: 3 }),
    version: fc.constantFrom("version 1", "version 2"),
    by: anyName,
  }),
  fc.record({
    operation: fc.constant("account"),
    user: anyName,
    flag: fc.constantFrom("locked", "administrator"),
    isSet: fc.boolean(),
    by: anyName,
  }),
  fc.record({
    operation: fc.constant("registration"),
    mode: fc.constantFrom("open", "closed", "invitation"),
    hash: fc.option(fc.constantFrom("0a", "0b"), { nil: undefined }),
    by: anyName,
  }),
);

/** Histories of three servers, with twins, in the total order. */
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
    return drawn.map(({ server, later, id, data: { operation, ...data } }): Event => {
      const { seq, clock: own } = last.get(server) ?? { seq: 0, clock: 0 };
      clock = Math.max(clock + later, own + 1);
      last.set(server, { seq: seq + 1, clock });
      return {
        server: serverName(server),
        seq: seq + 1,
        clock,
        timestamp: 1_700_000_000_000 + clock,
        operation,
        data: { ...data, id: id === undefined ? undefined : `id-${id}` },
      };
    });
  });

function stateOf(events: readonly Event[]): ChatState {
  const state = new ChatState(retention);
  for (const event of events) foldEvent(state, event);
  return state;
}

/** As it stands on disk. */
function save(state: ChatState): { saved: SavedState; text: string } {
  const { files, rows } = freeze(state);
  const written = files.map(({ name, lines }) => ({ name, lines: [...lines] }));
  const writtenRows = [...rows];
  const entries = (name: string) => {
    const list = written.find((file) => file.name === name)?.lines ?? [];
    return list.filter((line) => line.length > 3).map((line) => line.replace(/,?\n$/, ""));
  };
  const text = JSON.stringify([written, writtenRows], undefined, 1);
  return { saved: { entries, rows: writtenRows }, text };
}

function textOf(events: readonly Event[]): string {
  return save(stateOf(events)).text;
}

/** What a replica holds that is behind at some servers. */
function upTo(events: readonly Event[], vector: Vector): Event[] {
  return events.filter(({ server, seq }) => seq <= (vector[server] ?? 0));
}

const anyVector = fc
  .tuple(fc.nat(25), fc.nat(25), fc.nat(25))
  .map((counts) => Object.fromEntries(counts.map((seq, at) => [serverName(at + 1), seq])));

/** The further of both, for each server. */
function joined(a: Vector, b: Vector): Vector {
  const both: MutableVector = { ...a };
  for (const [server, seq] of Object.entries(b) as [keyof Vector, number][]) {
    both[server] = Math.max(both[server] ?? 0, seq);
  }
  return both;
}

describe("a saved state", () => {
  test("[R4] is the same in whatever order the events of several servers came", () => {
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

  test("[J1] [R4] taken up again gives the same files", () => {
    fc.assert(
      fc.property(anyEvents, (events) => {
        const { saved, text } = save(stateOf(events));
        const again = new ChatState(retention);
        foldSaved(again, saved, {});
        expect(save(again).text).toBe(text);
      }),
      { numRuns: 500 },
    );
  });

  test("[J1] [R4] with the events behind it gives what all of them give", () => {
    fc.assert(
      fc.property(anyEvents, anyVector, (events, vector) => {
        const before = upTo(events, vector);
        const state = new ChatState(retention);
        foldSaved(state, save(stateOf(before)).saved, {});
        for (const event of events) if (!before.includes(event)) foldEvent(state, event);
        expect(save(state).text).toBe(textOf(events));
      }),
      { numRuns: 500 },
    );
  });

  test("[R8] [R4] of a peer, taken up beside what is held, gives what both stand for", () => {
    fc.assert(
      fc.property(anyEvents, anyVector, anyVector, (events, held, theirs) => {
        const state = stateOf(upTo(events, held));
        foldSaved(state, save(stateOf(upTo(events, theirs))).saved, held);
        expect(save(state).text).toBe(textOf(upTo(events, joined(held, theirs))));
      }),
      { numRuns: 1_000 },
    );
  });

  test("[R8] taken up twice changes nothing", () => {
    fc.assert(
      fc.property(anyEvents, anyVector, (events, vector) => {
        const state = stateOf(upTo(events, vector));
        const { saved, text } = save(stateOf(events));
        foldSaved(state, saved, vector);
        foldSaved(state, saved, joined(vector, vectorOf(events)));
        expect(save(state).text).toBe(text);
      }),
      { numRuns: 300 },
    );
  });

  test("[J3] a private message stays while either party keeps it", () => {
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
    // Bia's window holds 3 to 6, Ana's holds 1 alone.
    expect(kept).toEqual([1, 3, 4, 5, 6]);
    const again = new ChatState(retention);
    foldSaved(again, saved, {});
    expect(save(again).text).toBe(text);
    expect(again.user("bia" as never).conversation.window.entries.length).toBe(4);
  });

  test("is frozen: what comes while it is written is not in it", () => {
    const events = fc.sample(anyEvents, { numRuns: 20, seed: 1 });
    for (const list of events) {
      const half = list.slice(0, list.length / 2);
      const state = stateOf(half);
      const { files, rows } = freeze(state);
      for (const event of list.slice(half.length)) foldEvent(state, event);
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
  ])("[J2] with a row that is %s is refused", (_, row) => {
    const saved = { rows: [row], entries: () => [] };
    expect(() => foldSaved(new ChatState(retention), saved, {})).toThrow();
  });
});

function vectorOf(events: readonly Event[]): Vector {
  return Object.fromEntries(events.map(({ server, seq }) => [server, seq]));
}

import { describe, expect, test } from "vitest";
import { digest } from "../../../src/platform/digest.ts";
import { seededRandom } from "../../../src/platform/random.ts";
import type { Event } from "../../../src/protocol/event.ts";
import { factsOf, machineOf, newContent } from "../../../src/server/core/facts.ts";
import type { SavedState } from "../../../src/server/core/replica/state-machine.ts";
import { DrawnOperations } from "../../support/drawn-operations.ts";
import { serverName } from "../../support/event-lines.ts";

/** The number of random operations; `OPERATIONS=1000000 npx vitest run …` applies more of them. */
const operations = Number(process.env.OPERATIONS ?? 20_000);
const atOnce = 20;

function emptyState() {
  const content = newContent(digest, undefined);
  return { content, facts: machineOf(factsOf(content), content) };
}

type State = ReturnType<typeof emptyState>;

function save({ facts }: State): { readonly saved: SavedState; readonly text: string } {
  const { files, rows } = facts.freeze();
  const lines = [...rows];
  const written = files.map(({ name, lines }) => ({ name, lines: [...lines] }));
  const entries = (name: string) => {
    const list = written.find((file) => file.name === name)?.lines ?? [];
    return list.filter((line) => line.length > 3).map((line) => line.replace(/,?\n$/, ""));
  };
  return { saved: { entries, rows: lines }, text: JSON.stringify([written, lines]) };
}

/** Decisions of several epochs, each slot with one content, and their marks, as events. */
function* drawnEvents(seed: number): Generator<Event> {
  const random = seededRandom(seed);
  const drawn = new DrawnOperations(random);
  let seq = 0;
  for (let slot = 1; slot <= Math.ceil(operations / atOnce); slot += 1) {
    const ops = Array.from({ length: atOnce }, () => drawn.operation(slot - 1));
    const epochs = [1, 2].map((term) => ({ view: 1, term: term + Math.floor(slot / 50) }));
    const mark = drawn.pick(...epochs);
    for (const epoch of epochs) yield event("decision", { epoch, slot, time: slot, ops });
    yield event("settled", { epoch: mark, upTo: slot });
  }

  function event(operation: string, data: object): Event {
    seq += 1;
    const place = { server: serverName(1), seq, clock: seq, timestamp: seq };
    return { ...place, operation, data: data as Event["data"] };
  }
}

/** The event as another replica has it, from a line on disk. */
function fromDisk(event: Event): Event {
  return { ...event, data: JSON.parse(JSON.stringify(event.data)) };
}

describe("the fold of decided operations", () => {
  test("[D5] any operations can be applied in any order, and two replicas get equal states", {
    timeout: 600_000,
  }, () => {
    const [one, other] = [emptyState(), emptyState()];
    const outcomes = new Set<string>();
    one.content.log.onApplied = (_, { outcome }) => outcomes.add(outcome);
    let late: Event | undefined;
    for (const event of drawnEvents(1)) {
      one.facts.apply(event);
      // The other replica gets the events in another order.
      if (late !== undefined) other.facts.apply(fromDisk(event));
      if (late !== undefined) other.facts.apply(fromDisk(late));
      late = late === undefined ? event : undefined;
    }
    if (late !== undefined) other.facts.apply(fromDisk(late));
    expect(save(other).text === save(one).text).toBe(true);
    expect(one.content.log.applied).toBe(Math.ceil(operations / atOnce));
    expect(one.content.log.differs).toBeUndefined();
    // The drawn operations reach every outcome.
    expect([...outcomes].sort()).toEqual([
      "account_locked",
      "card_not_owned",
      "done",
      "expired",
      "invalid",
      "invitation_wanted",
      "match_differs",
      "match_not_found",
      "name_confusable",
      "name_in_use",
      "name_taken",
      "no_player",
      "not_administrator",
      "password_changed",
      "password_wrong",
      "registration_closed",
      "seated",
      "sold_out",
      "term_passed",
      "too_few_coins",
      "trade_not_found",
      "user_not_found",
    ]);
  });

  test("[D6] a state joined from two saved states, in either order, is the state of all their events", () => {
    const events = [...drawnEvents(2)].slice(0, 240);
    const random = seededRandom(3);
    for (let run = 0; run < 15; run += 1) {
      const stateOf = (list: readonly Event[]) => {
        const state = emptyState();
        for (const event of list) state.facts.apply(event);
        return state;
      };
      const some = () => events.filter((_, at) => at < 120 * random() || random() < 0.3);
      const [mine, theirs] = [some(), some()];
      const both = events.filter((event) => mine.includes(event) || theirs.includes(event));
      const expected = save(stateOf(both)).text;
      for (const [own, fetched] of [
        [mine, theirs],
        [theirs, mine],
      ] as const) {
        const state = stateOf(own);
        state.facts.restore(save(stateOf(fetched)).saved, {});
        expect(save(state).text === expected).toBe(true);
      }
    }
  });
});

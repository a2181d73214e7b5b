import { digest } from "../platform/digest.ts";
import { fieldsOf } from "../protocol/fields.ts";
import type { ServerName } from "../protocol/ids.ts";
import { type LamportClock, parseClock } from "../protocol/lamport-clock.ts";
import { type Content, factsOf, machineOf, newContent } from "../server/core/facts.ts";
import type { SavedState } from "../server/core/replica/state-machine.ts";
import { ServerCore } from "../server/core/step.ts";
import type { CheckpointSource } from "../storage/checkpoint.ts";

/** How many entries each file of a saved state has. */
export type Counts = Readonly<Record<(typeof counted)[number], number>>;

const counted = ["users", "channels", "accounts", "messages", "publications"] as const;

/**
 * Returns a replica that keeps everything: only the servers know how many messages they keep, and
 * drop the rest when they load the state.
 */
export function newReplica(name: ServerName, clock: LamportClock): ServerCore {
  return new ServerCore({ name, clock, digest, address: "", retention });
}

const most = Number.POSITIVE_INFINITY;
const retention = { channelMessages: most, userMessages: most, userLogins: most };

/** Returns a saved state, and its counts. @throws Error if the state is damaged */
export function loadContent(saved: SavedState): { content: Content; counts: Counts } {
  const content = newContent(digest, retention);
  const machine = machineOf(factsOf(content), content);
  machine.restore(saved, {});
  return { content, counts: countsOf(machine.freeze()) };
}

/** Counts the entries of a state: its lines without those of brackets only (`[`, `]`, `[]`). */
export function countsOf({ files }: Pick<CheckpointSource, "files">): Counts {
  const countOf = (name: string) => {
    let count = 0;
    for (const line of files.find((file) => file.name === name)?.lines ?? []) {
      if (line.length > "[]\n".length) count += 1;
    }
    return count;
  };
  return mapCounts((name) => countOf(`${name}.json`));
}

/** @throws Error unless the value has a number for each kind of entry */
export function parseCounts(value: unknown): Counts {
  const fields = fieldsOf(value);
  return mapCounts((name) => {
    const count = parseClock(fields[name]);
    if (count === undefined) throw new Error(`\`counts.${name}\` is missing or wrong`);
    return count;
  });
}

function mapCounts(countOf: (name: keyof Counts) => number): Counts {
  return Object.fromEntries(counted.map((name) => [name, countOf(name)])) as Counts;
}

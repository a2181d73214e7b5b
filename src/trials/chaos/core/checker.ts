import { type ClaimObservations, checkClaims, claimRules } from "./claims.ts";

/**
 * Judges what was seen of a cluster under load, in the manner of Jepsen's queue and set checkers
 * (K. Kingsbury): every value is unique, so what became of each write can be told from outside. A
 * write without an answer is indeterminate: it may be there or not. Knows nothing of how the load
 * was made.
 */

/** A message as somebody saw it. */
export interface Seen {
  readonly message: string;
  readonly server: string;
  readonly seq: number;
  readonly clock: number;
}

export interface Write {
  /** Unique. */
  readonly message: string;
  /** Whose connection: what it was told before, it must not be told otherwise. */
  readonly client: string;
  /** The conversations in which it belongs; the first is where subscribers hear it. */
  readonly conversations: readonly [string, ...string[]];
  readonly sentMs: number;
  /** Undefined as long as no answer came, or one that tells nothing of its effect. */
  readonly acknowledged?: { readonly atMs: number; readonly clock: number };
  /** The code of an answer that says that it took no effect. */
  readonly refused?: string;
}

/** A page of history as a client read it under load: the newest messages. */
export interface Reading {
  readonly client: string;
  readonly conversation: string;
  readonly askedMs: number;
  readonly entries: readonly Seen[];
  /** Whether nothing stands before it. */
  readonly isWhole: boolean;
}

/** All of a conversation, as one server tells it once everything has healed. */
export interface Telling {
  readonly server: string;
  readonly conversation: string;
  readonly entries: readonly Seen[];
}

/** What a subscriber heard from the beginning to the end, in its order. */
export interface Hearing {
  readonly listener: string;
  readonly conversation: string;
  readonly entries: readonly Seen[];
}

/** The files of one replica after a clean stop, by name; undefined for one that is not there. */
export interface Files {
  readonly replica: string;
  readonly checksums: Readonly<Record<string, string | undefined>>;
}

/** A time in which a majority stood still, so that nothing new could be committed. */
export interface Outage {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Observations extends ClaimObservations {
  /** The servers that have to tell everything. */
  readonly servers: readonly string[];
  readonly writes: readonly Write[];
  readonly readings: readonly Reading[];
  readonly tellings: readonly Telling[];
  readonly hearings: readonly Hearing[];
  readonly files: readonly Files[];
  readonly outages: readonly Outage[];
}

export const rules = [
  /** Acknowledged, and not in the history that some server tells (R5). */
  "lost",
  /** Twice in a history, or heard twice (R6, C3). */
  "doubled",
  /** Read or heard, and never sent, or refused. */
  "neverAttempted",
  /** Servers that tell different histories, or have different files (R4, R8). */
  "diverged",
  /** Out of the total order, or a clock that does not rise from cause to effect (R7, C3). */
  "misordered",
  /** In the history, and not heard by who listened all the time (C3). */
  "unheard",
  /** Not in what a client read after it was acknowledged to it, or refused for want of it (R9). */
  "stale",
  /** Acknowledged while no majority could have it (R3). */
  "early",
  ...claimRules,
] as const;
export type Rule = (typeof rules)[number];

/** One breach: the rule, and a sentence with names and numbers. */
export interface Violation {
  readonly rule: Rule;
  readonly detail: string;
}

export function check(seen: Observations): Violation[] {
  return [
    ...lost(seen),
    ...doubled(seen),
    ...neverAttempted(seen),
    ...diverged(seen),
    ...outOfOrder(seen),
    ...againstCause(seen),
    ...unheard(seen),
    ...stale(seen),
    ...early(seen),
    ...checkClaims(seen),
  ];
}

function lost({ writes, tellings }: Observations): Violation[] {
  const written = writes.filter(({ acknowledged }) => acknowledged !== undefined);
  return tellings.flatMap(({ server, conversation, entries }) => {
    const told = messagesOf(entries);
    return written
      .filter(({ message, conversations }) => {
        return conversations.includes(conversation) && !told.has(message);
      })
      .map(({ message }) => ({
        rule: "lost" as const,
        detail: `${message} was acknowledged and is not in ${conversation} through ${server}`,
      }));
  });
}

/** Everything that anybody read or heard, with words for who and where. */
function sights({ tellings, hearings, readings }: Observations) {
  return [
    ...tellings.map(({ server, conversation, entries }) => {
      return { where: `${conversation} through ${server}`, conversation, entries };
    }),
    ...hearings.map(({ listener, conversation, entries }) => {
      return { where: `what ${listener} heard of ${conversation}`, conversation, entries };
    }),
    ...readings.map(({ client, conversation, entries, askedMs }) => {
      const where = `${conversation} as ${client} read it at ${Math.round(askedMs)} ms`;
      return { where, conversation, entries };
    }),
  ];
}

function doubled(seen: Observations): Violation[] {
  return sights(seen).flatMap(({ where, entries }) => {
    const once = new Set<string>();
    const twice = new Set<string>();
    for (const { message } of entries) (once.has(message) ? twice : once).add(message);
    return [...twice].map((message) => {
      return { rule: "doubled" as const, detail: `${message} is more than once in ${where}` };
    });
  });
}

function neverAttempted(seen: Observations): Violation[] {
  const attempted = new Map(seen.writes.map((write) => [write.message, write]));
  return sights(seen).flatMap(({ where, conversation, entries }) =>
    [...messagesOf(entries)].flatMap((message) => {
      const write = attempted.get(message);
      const isRight = write?.conversations.includes(conversation) && write.refused === undefined;
      if (isRight) return [];
      const why = write?.refused === undefined ? "nobody sent it there" : "it was refused";
      return [{ rule: "neverAttempted" as const, detail: `${message} is in ${where}: ${why}` }];
    }),
  );
}

function diverged({ servers, writes, tellings, files }: Observations): Violation[] {
  const first = new Map<string, Telling>();
  const found: Violation[] = [];
  for (const conversation of new Set(writes.flatMap(({ conversations }) => conversations))) {
    for (const server of servers) {
      const isTold = tellings.some((t) => t.server === server && t.conversation === conversation);
      if (!isTold) found.push({ rule: "diverged", detail: `${server} never told ${conversation}` });
    }
  }
  for (const telling of tellings) {
    const { conversation, server } = telling;
    const other = first.get(conversation);
    if (other === undefined) first.set(conversation, telling);
    else if (JSON.stringify(other.entries) !== JSON.stringify(telling.entries)) {
      const detail = `${conversation} differs between ${other.server} and ${server}`;
      found.push({ rule: "diverged", detail });
    }
  }
  const [one, ...rest] = files;
  for (const { replica, checksums } of rest) {
    const names = new Set([...Object.keys(checksums), ...Object.keys(one?.checksums ?? {})]);
    for (const name of names) {
      if (one?.checksums[name] === checksums[name] && checksums[name] !== undefined) continue;
      const detail = `${name} differs between ${one?.replica} and ${replica}`;
      found.push({ rule: "diverged", detail });
    }
  }
  return found;
}

function outOfOrder(seen: Observations): Violation[] {
  const inTotalOrder = [...seen.tellings, ...seen.readings].flatMap(({ conversation, entries }) =>
    neighbours(entries)
      .filter(([a, b]) => !isBefore(a, b))
      .map(([a, b]) => `${a.message} stands before ${b.message} in ${conversation}`),
  );
  const perServer = seen.hearings.flatMap(({ listener, entries }) => {
    const last = new Map<string, Seen>();
    return entries.flatMap((entry) => {
      const before = last.get(entry.server);
      last.set(entry.server, entry);
      if (before === undefined || before.seq < entry.seq) return [];
      return [`${listener} heard ${before.message} before ${entry.message} of ${entry.server}`];
    });
  });
  return [...new Set([...inTotalOrder, ...perServer])].map((detail) => {
    return { rule: "misordered", detail };
  });
}

/** What a client was told before it sent something has the lower clock (R7). */
function againstCause({ writes, tellings }: Observations): Violation[] {
  const clocks = new Map<string, number>();
  for (const { acknowledged, message } of writes) {
    if (acknowledged !== undefined) clocks.set(message, acknowledged.clock);
  }
  // Where two servers made one of the same request, what is read is the earlier of the two.
  for (const { message, clock } of tellings.flatMap(({ entries }) => entries)) {
    clocks.set(message, Math.min(clock, clocks.get(message) ?? clock));
  }
  return [...causesOf(writes).values()].flat().flatMap(({ write, toldClock }) => {
    const clock = clocks.get(write.message);
    if (clock === undefined || clock > toldClock) return [];
    const detail = `${write.message} has clock ${clock}; its sender had been told of ${toldClock}`;
    return [{ rule: "misordered" as const, detail }];
  });
}

interface Caused {
  readonly write: Write;
  /** The highest clock that its sender had been told before it was sent; 0 for none. */
  readonly toldClock: number;
}

function causesOf(writes: readonly Write[]): Map<string, Caused[]> {
  const clients = new Map<string, Write[]>();
  for (const write of writes) {
    const own = clients.get(write.client);
    if (own === undefined) clients.set(write.client, [write]);
    else own.push(write);
  }
  return new Map([...clients].map(([client, own]) => [client, causesOfOne(own)]));
}

function causesOfOne(own: Write[]): Caused[] {
  const answers = own
    .flatMap(({ acknowledged }) => (acknowledged === undefined ? [] : [acknowledged]))
    .sort((a, b) => a.atMs - b.atMs);
  let next = 0;
  let toldClock = 0;
  return own
    .sort((a, b) => a.sentMs - b.sentMs)
    .map((write) => {
      for (; (answers[next]?.atMs ?? Infinity) < write.sentMs; next += 1) {
        toldClock = Math.max(toldClock, answers[next]?.clock ?? 0);
      }
      return { write, toldClock };
    });
}

/** What is there, and was not heard by who listened to it all the time. */
export function unheard({
  writes,
  tellings,
  hearings,
}: Pick<Observations, "writes" | "tellings" | "hearings">): Violation[] {
  const heardIn = new Map(writes.map(({ message, conversations }) => [message, conversations[0]]));
  return hearings.flatMap(({ listener, conversation, entries }) => {
    const heard = messagesOf(entries);
    const told = tellings
      .filter((telling) => telling.conversation === conversation)
      .flatMap((telling) => [...messagesOf(telling.entries)])
      .filter((message) => heardIn.get(message) === conversation);
    return [...new Set(told)]
      .filter((message) => !heard.has(message))
      .map((message) => ({
        rule: "unheard" as const,
        detail: `${listener} never heard ${message} of ${conversation}`,
      }));
  });
}

function stale({ writes, readings }: Observations): Violation[] {
  const refused = writes
    .filter(({ refused }) => refused !== undefined)
    .map(({ message, refused }) => `${message} was refused (${refused}), and nothing was wrong`);
  const causes = causesOf(writes);
  const unread = readings.flatMap(({ client, conversation, askedMs, entries, isWhole }) => {
    const read = messagesOf(entries);
    // Whatever server made it, the clock is above what its sender had been told before.
    const oldest = isWhole ? 0 : (entries[0]?.clock ?? 0);
    return (causes.get(client) ?? [])
      .filter(({ write, toldClock }) => {
        const wasTold = (write.acknowledged?.atMs ?? Infinity) < askedMs;
        return wasTold && toldClock >= oldest && write.conversations.includes(conversation);
      })
      .filter(({ write }) => !read.has(write.message))
      .map(({ write }) => `${client} did not read its own ${write.message} in ${conversation}`);
  });
  return [...refused, ...unread].map((detail) => ({ rule: "stale", detail }));
}

function early({ writes, outages }: Observations): Violation[] {
  return writes.flatMap(({ message, sentMs, acknowledged }) => {
    const outage = outages.find(({ fromMs, toMs }) => {
      return sentMs > fromMs && (acknowledged?.atMs ?? Infinity) < toMs;
    });
    if (outage === undefined) return [];
    const detail = `${message} was sent and acknowledged while a majority stood still`;
    return [{ rule: "early" as const, detail }];
  });
}

function messagesOf(entries: readonly Seen[]): Set<string> {
  return new Set(entries.map(({ message }) => message));
}

function neighbours<T>(items: readonly T[]): [T, T][] {
  return items.slice(1).map((item, at) => [items[at] as T, item]);
}

function isBefore(a: Seen, b: Seen): boolean {
  return a.clock < b.clock || (a.clock === b.clock && a.server < b.server);
}

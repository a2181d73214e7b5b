import { type ChangeObservations, changeRules, checkChanges } from "./changes.ts";
import { type ClaimObservations, checkClaims, claimRules, grouped } from "./names.ts";

/**
 * Checks what clients saw of a cluster under load, like Jepsen's queue and set checkers (K.
 * Kingsbury). Every message is unique, so each read shows which writes took effect. A write without
 * an answer is indeterminate: it may or may not have taken effect.
 */

/** A message as a client read it. */
export interface Seen {
  readonly message: string;
  readonly server: string;
  readonly seq: number;
  readonly clock: number;
}

export interface Write {
  /** The text, which is unique. */
  readonly message: string;
  /** The client that sent the message. */
  readonly client: string;
  /**
   * The conversations that contain the message: of a private message the receiver's, then the
   * sender's. Subscribers receive the message only in the first conversation.
   */
  readonly conversations: readonly [string, ...string[]];
  readonly sentMs: number;
  /** Undefined until an answer says that the write took effect. */
  readonly acknowledged?: { readonly atMs: number; readonly clock: number };
  /** The error code of an answer that says that the write took no effect. */
  readonly refused?: string;
}

/** The newest page of a history, as a client read it under load. */
export interface Read {
  readonly client: string;
  readonly conversation: string;
  readonly askedMs: number;
  readonly entries: readonly Seen[];
  /** Whether the page contains all messages of the conversation. */
  readonly isWhole: boolean;
}

/** A whole conversation, as one server reports it after healing. */
export interface ServerReport {
  readonly server: string;
  readonly conversation: string;
  readonly entries: readonly Seen[];
}

/** All messages delivered to a subscriber, in order of arrival. */
export interface Delivery {
  readonly subscriber: string;
  readonly conversation: string;
  readonly entries: readonly Seen[];
}

/**
 * The checksums of one replica's files by name, after the replica stopped cleanly; undefined for a
 * missing file.
 */
export interface Files {
  readonly replica: string;
  readonly checksums: Readonly<Record<string, string | undefined>>;
}

/**
 * A time during which a majority of the servers was stopped, so that no write could be committed.
 */
export interface Outage {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Observations extends ClaimObservations, ChangeObservations {
  /** The names of all servers; each server must report every conversation. */
  readonly servers: readonly string[];
  readonly writes: readonly Write[];
  readonly reads: readonly Read[];
  readonly reports: readonly ServerReport[];
  readonly deliveries: readonly Delivery[];
  readonly files: readonly Files[];
  readonly outages: readonly Outage[];
}

export const rules = [
  /** A message was acknowledged, but a server does not report it (R5). */
  "lost",
  /** A message is in a history twice, or was delivered twice (R6, C3). */
  "doubled",
  /**
   * A message was read or delivered although no client sent it, or although a server refused it.
   */
  "neverAttempted",
  /** Servers report different histories, or have different files (R4, R8). */
  "diverged",
  /**
   * A message is out of the total order. Or its clock is not above the clock of an answer that the
   * sender had received before it sent the message (R7, C3).
   */
  "misordered",
  /**
   * A message is in the history, but a subscriber that was subscribed all the time did not receive
   * it (C3).
   */
  "unheard",
  /** A client did not read its own acknowledged message, or a correct write was refused (R9). */
  "stale",
  /**
   * A message was sent and acknowledged while a majority was stopped, although no quorum could have
   * it on disk (R3).
   */
  "early",
  ...claimRules,
  ...changeRules,
] as const;
export type Rule = (typeof rules)[number];

/** A broken rule, and a sentence that says which message or server broke it. */
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
    ...checkChanges(seen),
  ];
}

function lost({ writes, reports }: Observations): Violation[] {
  const written = writes.filter(({ acknowledged }) => acknowledged !== undefined);
  return reports.flatMap(({ server, conversation, entries }) => {
    const reported = messagesOf(entries);
    return written
      .filter(({ message, conversations }) => {
        return conversations.includes(conversation) && !reported.has(message);
      })
      .map(({ message }) => ({
        rule: "lost" as const,
        detail: `${message} was acknowledged and is not in ${conversation} through ${server}`,
      }));
  });
}

/** Returns every list of messages that a client saw, and a description of where it saw the list. */
function listsSeen({ reports, deliveries, reads }: Observations) {
  return [
    ...reports.map(({ server, conversation, entries }) => {
      return { where: `${conversation} through ${server}`, conversation, entries };
    }),
    ...deliveries.map(({ subscriber, conversation, entries }) => {
      return { where: `what ${subscriber} heard of ${conversation}`, conversation, entries };
    }),
    ...reads.map(({ client, conversation, entries, askedMs }) => {
      const where = `${conversation} as ${client} read it at ${Math.round(askedMs)} ms`;
      return { where, conversation, entries };
    }),
  ];
}

function doubled(seen: Observations): Violation[] {
  return listsSeen(seen).flatMap(({ where, entries }) => {
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
  return listsSeen(seen).flatMap(({ where, conversation, entries }) =>
    [...messagesOf(entries)].flatMap((message) => {
      const write = attempted.get(message);
      const isRight = write?.conversations.includes(conversation) && write.refused === undefined;
      if (isRight) return [];
      const why = write?.refused === undefined ? "nobody sent it there" : "it was refused";
      return [{ rule: "neverAttempted" as const, detail: `${message} is in ${where}: ${why}` }];
    }),
  );
}

function diverged({ servers, writes, reports, files }: Observations): Violation[] {
  const first = new Map<string, ServerReport>();
  const found: Violation[] = [];
  for (const conversation of new Set(writes.flatMap(({ conversations }) => conversations))) {
    for (const server of servers) {
      const isReported = reports.some(
        (report) => report.server === server && report.conversation === conversation,
      );
      if (isReported) continue;
      found.push({ rule: "diverged", detail: `${server} never told ${conversation}` });
    }
  }
  for (const report of reports) {
    const { conversation, server } = report;
    const other = first.get(conversation);
    if (other === undefined) first.set(conversation, report);
    else if (JSON.stringify(other.entries) !== JSON.stringify(report.entries)) {
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
  const inTotalOrder = [...seen.reports, ...seen.reads].flatMap(({ conversation, entries }) =>
    neighbours(entries)
      .filter(([a, b]) => !isBefore(a, b))
      .map(([a, b]) => `${a.message} stands before ${b.message} in ${conversation}`),
  );
  const perServer = seen.deliveries.flatMap(({ subscriber, entries }) => {
    const last = new Map<string, Seen>();
    return entries.flatMap((entry) => {
      const before = last.get(entry.server);
      last.set(entry.server, entry);
      if (before === undefined || before.seq < entry.seq) return [];
      return [`${subscriber} heard ${before.message} before ${entry.message} of ${entry.server}`];
    });
  });
  return [...new Set([...inTotalOrder, ...perServer])].map((detail) => {
    return { rule: "misordered", detail };
  });
}

/**
 * Finds writes whose clock is lower than, or equal to, a clock that the client had received before
 * it sent the write (R7).
 */
function againstCause({ writes, reports }: Observations): Violation[] {
  const clocks = new Map<string, number>();
  for (const { acknowledged, message } of writes) {
    if (acknowledged !== undefined) clocks.set(message, acknowledged.clock);
  }
  // If two servers made an event of one request, readers see the event with the lower clock.
  for (const { message, clock } of reports.flatMap(({ entries }) => entries)) {
    clocks.set(message, Math.min(clock, clocks.get(message) ?? clock));
  }
  return [...causesByClient(writes).values()].flat().flatMap(({ write, toldClock }) => {
    const clock = clocks.get(write.message);
    if (clock === undefined || clock > toldClock) return [];
    const detail = `${write.message} has clock ${clock}; its sender had been told of ${toldClock}`;
    return [{ rule: "misordered" as const, detail }];
  });
}

interface Caused {
  readonly write: Write;
  /**
   * The highest clock in the answers that the client had received before it sent the write; 0 if it
   * had received none.
   */
  readonly toldClock: number;
}

function causesByClient(writes: readonly Write[]): Map<string, Caused[]> {
  const clients = grouped(writes, ({ client }) => client);
  return new Map([...clients].map(([client, own]) => [client, causesOf(own)]));
}

function causesOf(own: Write[]): Caused[] {
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

/**
 * Returns the messages of the history that a subscriber did not receive, although it was subscribed
 * all the time.
 */
export function unheard({
  writes,
  reports,
  deliveries,
}: Pick<Observations, "writes" | "reports" | "deliveries">): Violation[] {
  const heardIn = new Map(writes.map(({ message, conversations }) => [message, conversations[0]]));
  return deliveries.flatMap(({ subscriber, conversation, entries }) => {
    const heard = messagesOf(entries);
    const told = reports
      .filter((report) => report.conversation === conversation)
      .flatMap((report) => [...messagesOf(report.entries)])
      .filter((message) => heardIn.get(message) === conversation);
    return [...new Set(told)]
      .filter((message) => !heard.has(message))
      .map((message) => ({
        rule: "unheard" as const,
        detail: `${subscriber} never heard ${message} of ${conversation}`,
      }));
  });
}

function stale({ writes, reads }: Observations): Violation[] {
  const refused = writes
    .filter(({ refused }) => refused !== undefined)
    .map(({ message, refused }) => `${message} was refused (${refused}), and nothing was wrong`);
  const causes = causesByClient(writes);
  const unread = reads.flatMap(({ client, conversation, askedMs, entries, isWhole }) => {
    const read = messagesOf(entries);
    // The event of this write has a clock above `toldClock`, whichever server made the event. So if
    // `toldClock` is at least the clock of the page's oldest entry, the page must contain the
    // event.
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

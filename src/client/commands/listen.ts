import { zoneMinutes } from "../../platform/clock.ts";
import { Problem } from "../../platform/problem.ts";
import { untilStopped } from "../../platform/run-process.ts";
import type { Entry } from "../../protocol/publications.ts";
import type { HistoryPage } from "../../protocol/replies.ts";
import type { ConversationName } from "../../protocol/topics.ts";
import type { MutableVector, Vector } from "../../protocol/vector.ts";
import { conversationOf } from "../core/conversation.ts";
import { entryLine } from "../core/entry-line.ts";
import { timeOf } from "../core/server-time.ts";
import { parseSince, type Since } from "../core/since.ts";
import { writeTarget } from "../core/target.ts";
import { pages } from "../pages.ts";
import type { Session } from "../session.ts";
import { type ClientEvents, type Context, targetOf, userOf, withClient } from "./context.ts";
import { stateNotes } from "./state-notes.ts";

/** `tertulia listen TARGET`: prints entries until a signal arrives. */
export async function listen(
  context: Context,
  to: string,
  flags: { readonly since?: string },
): Promise<void> {
  const { output, text, config } = context;
  const target = targetOf(context, to);
  const { name, has } = conversationOf(target, () => userOf(context));
  const since = sinceOf(context, flags.since);
  const stopped = untilStopped();
  const seen: MutableVector = {};
  const show = (entry: Entry) => {
    // Each server's entries arrive in order, so `seen` covers exactly the entries that arrived.
    seen[entry.server] = Math.max(seen[entry.server] ?? 0, entry.seq);
    if (!has(entry)) return;
    output.data({ ...entry, seen }, entryLine(entry, { paint: output.paint, zoneMinutes }));
  };
  const follow = async (client: Session, events: ClientEvents) => {
    events.onState = stateNotes(context, (line) => output.note(line));
    const start = await begin(client, name, since);
    Object.assign(seen, start.seen);
    output.note(text("note.listening", { target: writeTarget(target) }));
    if (output.json) output.value({ seen });
    for (const entry of start.entries) show(entry);
    const onMissed = () => output.note(text("note.missed"));
    await client.subscribe(name, show, { since: start.seen, onMissed });
    await stopped;
  };
  await withClient(context, (...given) => Promise.race([follow(...given), stopped]), {
    proxies: config.proxies,
  });
  output.note(text("note.seen", { seen: JSON.stringify(seen) }));
}

/** @returns the vector to resume from, and the entries to print first */
async function begin(
  client: Session,
  name: ConversationName,
  since: Since | undefined,
): Promise<HistoryPage> {
  if (since !== undefined && "vector" in since) return { seen: since.vector, entries: [] };
  const isNew = ({ timestamp }: Entry) => since !== undefined && timeOf(timestamp) >= since.timeMs;
  // The subscription delivers only the private messages to the user. So messages that the user sent
  // are dropped here too.
  const isFor = (entry: Entry) => "channel" in entry || entry.dst === name.user;
  const found: Entry[][] = [];
  let seen: Vector = {};
  for await (const page of pages(client, name, since ? {} : { first: 1 })) {
    seen = page.seen;
    found.unshift(page.entries.filter((entry) => isNew(entry) && isFor(entry)));
    // An entry from before the given time ends the search, because all further pages are older.
    if (!page.entries.every(isNew)) break;
  }
  return { seen, entries: found.flat() };
}

function sinceOf({ text }: Context, value: string | undefined): Since | undefined {
  if (value === undefined) return undefined;
  const since = parseSince(value, zoneMinutes);
  if (since === undefined) throw new Problem(text("problem.since", { value }), 2);
  return since;
}

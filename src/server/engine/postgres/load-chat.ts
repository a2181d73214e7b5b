import { createHash } from "node:crypto";
import type { ChannelName, UserName } from "../../../protocol/ids.ts";
import type { MutableVector, Vector } from "../../../protocol/vector.ts";
import { chatFacts } from "../../core/chat/chat-facts.ts";
import type { Channel, ChatState, User } from "../../core/chat/chat-state.ts";
import { nameOf } from "../../core/replica/placed.ts";
import type { Needs } from "../engine.ts";
import { originOf } from "../events.ts";
import type { Slice } from "../slice.ts";
import { chatParts, type UnionPart } from "./chat-parts.ts";
import { factOf, placeOf, type StoredEvent } from "./events-rows.ts";
import { historyParts } from "./history-parts.ts";
import type { Queries } from "./pool.ts";

/** A number of each lane. */
type OfLanes = Readonly<Record<string, number>>;

/** A row of the parts that are events, or of the parts `lanes` and `dropped`. */
type LoadedRow =
  | StoredEvent
  | { readonly kind: "lanes"; readonly clock: number | null; readonly data: OfLanes | null }
  | { readonly kind: "dropped"; readonly subject: string; readonly data: OfLanes };

/**
 * Loads what is needed of the chat into a slice. One statement reads all of it, so `committed` and
 * the pages are of one moment. A slice that was loaded before keeps its `committed`, because its
 * pages are of that moment.
 */
export async function loadChat(db: Queries, needs: Needs, slice: Slice): Promise<void> {
  const parts = [...chatParts(needs), ...historyParts([...needs.history.values()])];
  const { rows } = await db.query<LoadedRow>(statementOf(parts));
  const facts = chatFacts(slice.chat);
  for (const row of rows) {
    if (row.kind === "lanes") {
      slice.clock = Math.max(slice.clock, row.clock ?? 0);
      if (Object.keys(slice.committed).length === 0) slice.committed = vectorOf(row.data ?? {});
      continue;
    }
    if (row.kind === "dropped") {
      ownerOf(row.subject, slice.chat).conversation.noteDropped(vectorOf(row.data));
      continue;
    }
    const { kind, data } = factOf(row);
    const placed = placeOf(row);
    // `users` has one row for all logins of a user. A second load may find that an unproven login came
    // meanwhile. Then the login is folded again.
    const event = `${nameOf(placed)} ${kind === "login" && data.isProven}`;
    if (slice.loaded.has(event)) continue;
    slice.loaded.add(event);
    facts[kind].fold(data as never, placed);
  }
}

/** Joins the parts to one statement. Each combination of parts makes another one, and there are very many. */
function statementOf(parts: readonly UnionPart[]) {
  const values: unknown[] = [];
  const texts = parts.map(({ text, values: own }) => {
    const before = values.length;
    values.push(...own);
    return text.replace(/\$(\d+)/g, (_, number: string) => `$${before + Number(number)}`);
  });
  const text = texts.join("\nunion all\n");
  return { name: nameFor(parts), isOfMany: true as const, text, values };
}

/** Returns a short name, because PostgreSQL forgets what is beyond 63 characters. */
function nameFor(parts: readonly UnionPart[]): string {
  const names = parts.map(({ name }) => name).join(" ");
  return `load ${createHash("sha256").update(names).digest("base64url").slice(0, 22)}`;
}

function vectorOf(seqs: OfLanes): Vector {
  const vector: MutableVector = {};
  for (const [lane, seq] of Object.entries(seqs)) vector[originOf(Number(lane))] = seq;
  return vector;
}

/** Returns the channel or user that an event is about. */
function ownerOf(subject: string, chat: ChatState): Channel | User {
  const name = subject.slice(1);
  return subject.startsWith("#") ? chat.channel(name as ChannelName) : chat.user(name as UserName);
}

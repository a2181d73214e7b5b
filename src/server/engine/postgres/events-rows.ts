import { createHash } from "node:crypto";
import type { Fields } from "../../../protocol/fields.ts";
import type { ChannelName, HookId, HookName, RequestId, UserName } from "../../../protocol/ids.ts";
import type { ChatData } from "../../core/chat/chat-facts.ts";
import type { Placed } from "../../core/replica/placed.ts";
import { type Fact, laneCount, originOf } from "../events.ts";
import { unescapeNul } from "./text.ts";

/** The columns of `StoredEvent`, as statements select them. */
export const eventColumns = [
  "lane",
  "seq",
  "clock",
  "time",
  "kind",
  "subject",
  "actor",
  "id",
  "body",
  "data",
] as const;

/** The columns of an event `e`, for the list of a `select`. */
export const selectedEvent = eventColumns.map((column) => `e.${column}`).join(", ");

/** A row of the table `events`. */
export interface StoredEvent {
  readonly lane: number;
  readonly seq: number;
  readonly clock: number;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly kind: keyof ChatData;
  readonly subject: string;
  readonly actor: string | null;
  readonly id: string | null;
  readonly body: string | null;
  readonly data: Fields | null;
}

/** Returns the lane of all events with this owner. It stays the same for ever. */
export function laneOfOwner(owner: string): number {
  return (createHash("sha256").update(owner).digest()[0] as number) % laneCount;
}

/** Returns the data of an event that no other column than `data` has; null if there are none. */
export function restOf({ kind, data }: Fact): object | null {
  switch (kind) {
    case "login":
      return data.isProven === true ? { isProven: true } : null;
    case "publication":
      return data.hook === undefined ? null : { hook: data.hook };
    case "removal":
      return { isRemoved: data.isRemoved };
    case "hook": {
      const { channel, name, isProven } = data;
      return { channel, name, isProven };
    }
    default:
      return null;
  }
}

export function placeOf({ lane, seq, clock, time, id }: StoredEvent): Placed {
  const request = id === null ? undefined : (unescapeNul(id) as RequestId);
  return { server: originOf(lane), seq, clock, time, id: request };
}

/** Returns the event of a row. */
export function factOf({ kind, subject, actor, body, data }: StoredEvent): Fact {
  const name = subject.slice(1);
  const user = actor as UserName;
  const { isProven, isRemoved, hook, channel, name: hookName } = data ?? {};
  switch (kind) {
    case "login":
      return { kind, data: { user, isProven: isProven === true ? true : undefined } };
    case "channel":
      return { kind, data: { channel: name as ChannelName, user: user ?? undefined } };
    case "removal":
      return {
        kind,
        data: { channel: name as ChannelName, isRemoved: isRemoved === true, by: user },
      };
    case "publication": {
      const by = hook === undefined ? {} : { hook: hook as HookName };
      return {
        kind,
        data: { user, channel: name as ChannelName, message: unescapeNul(body ?? ""), ...by },
      };
    }
    case "message":
      return { kind, data: { src: user, dst: name as UserName, message: unescapeNul(body ?? "") } };
    case "hook":
      return {
        kind,
        data: {
          hook: name as HookId,
          channel: channel as ChannelName,
          name: hookName as HookName,
          by: user,
          isProven: isProven === true ? true : undefined,
        },
      };
    case "unhook":
      return { kind, data: { hook: name as HookId, by: user } };
  }
}

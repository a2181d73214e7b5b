import { createHash } from "node:crypto";
import type { Fields } from "../../../protocol/fields.ts";
import type { ChannelName, HookId, HookName, RequestId, UserName } from "../../../protocol/ids.ts";
import type { ChatData } from "../../core/chat/chat-facts.ts";
import type { Placed } from "../../core/replica/placed.ts";
import { lanes, originOf } from "../events.ts";
import { told } from "./text.ts";

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

/** What a kind of event is, without its place. */
type Fact = {
  readonly [Kind in keyof ChatData]: { kind: Kind; data: ChatData[Kind] };
}[keyof ChatData];

/** Returns the lane of all events with this owner. It stays the same for ever. */
export function laneOfOwner(owner: string): number {
  return (createHash("sha256").update(owner).digest()[0] as number) % lanes;
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
  const request = id === null ? undefined : (told(id) as RequestId);
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
        data: { user, channel: name as ChannelName, message: told(body ?? ""), ...by },
      };
    }
    case "message":
      return { kind, data: { src: user, dst: name as UserName, message: told(body ?? "") } };
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

/** Returns who wrote a message, to whom, and what; undefined if the event is no message. */
export function writtenIn(fact: Fact) {
  switch (fact.kind) {
    case "publication": {
      const { user: from, channel, message: text, hook } = fact.data;
      return { from, to: { channel }, text, hook };
    }
    case "message": {
      const { src: from, dst, message: text } = fact.data;
      return { from, to: { user: dst }, text, hook: undefined };
    }
    default:
      return undefined;
  }
}

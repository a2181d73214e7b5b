import type { ChannelName, HookName, ServerName, UserName } from "./ids.ts";

interface Published {
  readonly message: string;
  readonly timestamp: string;
  readonly clock: number;
  readonly id: string;
  readonly server: ServerName;
  readonly seq: number;
}

/**
 * A channel's message in `history`, `publications.json` and publications of the second form (P2).
 */
export interface ChannelEntry extends Published {
  readonly channel: ChannelName;
  readonly user: UserName;
  /** The hook that wrote the message in the name of `user`, its owner. */
  readonly hook?: HookName;
}

/** A private message in `history`, `messages.json` and publications of the second form (P2). */
export interface PrivateEntry extends Published {
  readonly src: UserName;
  readonly dst: UserName;
}

export type Entry = ChannelEntry | PrivateEntry;

/**
 * An entry published on its topic. `prev` is the `seq` of the same server's previous entry on that
 * topic (P3).
 */
export type Publication = Entry & { readonly prev: number };

/**
 * A publication in the old form, for plain SUB clients (P1). `timestamp` is the time that the
 * sender's request gave, if any, else the event's.
 */
export type PlainPublication =
  | { user: string; message: string; timestamp: string | number; clock: number }
  | (Record<"src" | "from" | "message", string> & {
      timestamp: string | number;
      clock: number;
      dst: string;
      id: string;
      server: string;
      seq: number;
    });

import type { Entry } from "../../protocol/publications.ts";
import type { Text } from "../../texts/texts.ts";
import type { ChatEvent } from "../core/chat-events.ts";

/** What whoever works for the chat gets of it. */
export interface ChatPorts {
  dispatch(event: ChatEvent): void;
  /** A publication, shown with the next drawing. */
  hear(entry: Entry): void;
  /** Asks the servers; if the session has ended, the person logs in first. */
  ask<T>(request: () => Promise<T>): Promise<T>;
  /** The person's language may change. */
  text(): Text;
  /** Aborted when the chat ends. */
  readonly signal: AbortSignal;
}

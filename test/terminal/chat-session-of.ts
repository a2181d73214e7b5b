import type { Context } from "../../src/client/commands/context.ts";
import type { Session } from "../../src/client/session.ts";
import { ChatSession, type ChatSessionParts } from "../../src/client/terminal/chat-session.ts";
import { textsIn } from "../../src/texts/texts.ts";

/** Returns a chat session of the user ana with a stand-in client. */
export function sessionOf(client: object, parts: Partial<ChatSessionParts> = {}): ChatSession {
  return new ChatSession({
    context: { text: textsIn("en") } as Context,
    client: client as Session,
    user: "ana" as never,
    signal: new AbortController().signal,
    logIn: async () => false,
    ...parts,
  });
}

import type { ChatClient } from "../../src/client/chat-client.ts";
import type { Context } from "../../src/client/commands/context.ts";
import { ChatSession } from "../../src/client/terminal/chat-session.ts";
import { textsIn } from "../../src/texts/texts.ts";

/** A session of ana's, by a client that has just what a test needs. */
export function sessionOf(client: object, output: object = {}): ChatSession {
  return new ChatSession({
    context: { config: {}, text: textsIn("en"), output } as unknown as Context,
    client: client as ChatClient,
    user: "ana" as never,
    signal: new AbortController().signal,
    logIn: async () => false,
  });
}

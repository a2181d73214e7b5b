import { untilStopped } from "../../platform/run-process.ts";
import type { ProtocolError } from "../../protocol/errors.ts";
import type { ChatClient } from "../chat-client.ts";
import { type Context, userOf, withClient } from "../commands/context.ts";
import { enter, logIn } from "../commands/enter.ts";
import { readPassword } from "../commands/read-password.ts";
import { stateNotes } from "../commands/state-notes.ts";
import { LineChat, type LineChatParts } from "./line-chat.ts";

/**
 * `tertulia chat` without a terminal: lines in, lines out, until the input ends.
 * @throws Problem (exit code 1) at the end if a line could not be done
 */
export async function runLines(context: Context): Promise<void> {
  const { config, text, output } = context;
  const user = userOf(context);
  let onRefused: (error: ProtocolError) => void = () => {};
  const ended = new Promise<void>((resolve, reject) => {
    // Who hears nothing any more should not go on listening.
    onRefused = reject;
    void untilStopped().then(resolve);
  });
  let chat: LineChat | undefined;
  const talk = async (client: ChatClient) => {
    await enterByLines({ context, client, user });
    chat = new LineChat({ context, client, user });
    await chat.run();
  };
  const use = async (client: ChatClient) => {
    try {
      await Promise.race([talk(client), ended]);
    } finally {
      // Before the connection is: what that cuts short is for the next chat.
      chat?.close();
    }
  };
  const onState = stateNotes(text, (line) => output.note(line));
  try {
    await withClient(context, use, { proxies: config.proxies, onState, onRefused });
  } finally {
    // There may be more of it, which nobody waits for.
    context.host.input.destroy();
  }
}

async function enterByLines({ context, client, user }: LineChatParts): Promise<void> {
  const refusal = await enter(context, client, user);
  if (refusal === undefined) return;
  // Without a terminal the input is the talk: a password in it would be said to everybody.
  const canAsk = context.host.input.isTTY || context.config.passwordFile !== undefined;
  if (!canAsk) throw refusal;
  await logIn(context, client, { user, password: await readPassword(context) });
}

import { untilStopped } from "../../platform/run-process.ts";
import { type ClientEvents, type Context, userOf, withClient } from "../commands/context.ts";
import { enter, logIn } from "../commands/enter.ts";
import { readPassword } from "../commands/read-password.ts";
import { stateNotes } from "../commands/state-notes.ts";
import type { Session } from "../session.ts";
import { LineChat, type LineChatParts } from "./line-chat.ts";

/**
 * `tertulia chat` in line mode: reads and writes lines until the input ends.
 * @throws Problem (exit code 1) at the end if a line failed
 */
export async function runLines(context: Context): Promise<void> {
  const { config, output, host } = context;
  const user = userOf(context);
  const use = async (client: Session, events: ClientEvents) => {
    events.onState = stateNotes(context, (line) => output.note(line));
    const ended = new Promise<void>((resolve, reject) => {
      events.onRefused = reject;
      void untilStopped().then(resolve);
    });
    let chat: LineChat | undefined;
    const talk = async () => {
      await enterByLines({ context, client, user });
      chat = new LineChat({ context, client, user });
      await chat.run();
    };
    try {
      await Promise.race([talk(), ended]);
    } finally {
      // Close the outbox before the connection. Otherwise, messages that fail because the
      // connection closes would be removed from the outbox.
      chat?.close();
    }
  };
  try {
    await withClient(context, use, { proxies: config.proxies });
  } finally {
    // An open input would keep the process from ending, and nobody reads the remaining lines.
    host.input.destroy();
  }
}

/** Logs a user in without a dialogue. @throws ProtocolError if that needs a password */
export async function enterByLines({ context, client, user }: LineChatParts): Promise<void> {
  const refusal = await enter(context, client, user);
  if (refusal === undefined) return;
  // Without a terminal, the input has only chat lines, so no password is read from it.
  const canAsk = context.host.input.isTTY || context.config.passwordFile !== undefined;
  if (!canAsk) throw refusal;
  await logIn(context, client, { user, password: await readPassword(context) });
}

import { openLog } from "../../platform/log.ts";
import { type Context, withClient } from "../commands/context.ts";
import { Outbox } from "../outbox.ts";
import { personFiles } from "../person-files.ts";
import { ChatShell } from "./chat-shell.ts";
import { LoginFlow } from "./login-flow.ts";
import { withPrompts } from "./prompts.ts";

/**
 * The longest pause between two attempts to connect, in milliseconds. The status line counts the
 * seconds of this pause down, so the pause is long enough for a person to read them.
 */
const reconnectMaxMs = 4_000;

/**
 * `tertulia chat` in a terminal, until the person quits or a signal arrives.
 * @throws Problem if the process has no terminal, or no server can be reached at the beginning
 */
export async function runFullScreen(context: Context): Promise<void> {
  const { proxies } = context.config;
  await withPrompts(context, (prompts, stopping) =>
    withClient(
      context,
      async (client, events) => {
        const loginFlow = new LoginFlow({ context, client, prompts });
        const user = await loginFlow.enter();
        const files = personFiles(context, user);
        const { fd, close } = files.openLogFile(context.text);
        const outbox = Outbox.open(files.outboxFolder, () => context.text);
        try {
          const clock = () => client.connection.clock.value;
          const log = openLog({ level: "info", role: "chat", name: () => user, clock, fd });
          const parts = { context, client, events, user, loginFlow, files, outbox, log };
          await new ChatShell(parts).run(stopping);
        } finally {
          outbox.close();
          close();
        }
      },
      { proxies, reconnectMaxMs },
    ),
  );
}

import { openLog } from "../../platform/log.ts";
import type { ProtocolError } from "../../protocol/errors.ts";
import type { ChatClient } from "../chat-client.ts";
import { type Context, withClient } from "../commands/context.ts";
import { Outbox } from "../outbox.ts";
import { personFiles } from "../person-files.ts";
import { ChatShell } from "./chat-shell.ts";
import { Entrance } from "./entrance.ts";
import { type Asking, withPrompts } from "./prompts.ts";

/** Between tries to connect at most, so that a countdown is worth reading. */
const reconnectMaxMs = 4_000;

/**
 * `tertulia chat` in a terminal, until the person quits or a signal comes.
 * @throws Problem if there is no terminal, or nobody can be reached at the beginning
 */
export async function runFullScreen(context: Context): Promise<void> {
  const { text, config } = context;
  let shell: ChatShell | undefined;
  const chat = async (client: ChatClient, { prompts, screen, stopping }: Asking) => {
    const entrance = new Entrance({ context, client, prompts, screen });
    const user = await entrance.enter();
    const files = personFiles(context, user);
    const logFile = files.openLogFile(text);
    const outbox = Outbox.open(files.outboxFolder, () => shell?.text ?? text);
    try {
      const clock = () => client.clock.value;
      const log = openLog({ level: "info", role: "chat", name: () => user, clock, fd: logFile.fd });
      shell = new ChatShell({ context, client, user, entrance, files, outbox, log });
      await shell.run(stopping);
    } finally {
      outbox.close();
      logFile.close();
    }
  };
  await withPrompts(context, (asking) =>
    withClient(context, (client) => chat(client, asking), {
      proxies: config.proxies,
      reconnectMaxMs,
      onState: (state) => shell?.connection(state),
      onRetry: (inMs) => shell?.retry(inMs),
      onRefused: (error: ProtocolError) => shell?.refused(error),
    }),
  );
}

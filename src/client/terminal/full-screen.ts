import { openLog, openLogFile } from "../../platform/log.ts";
import { Problem } from "../../platform/problem.ts";
import { stateFolder } from "../../platform/state-folder.ts";
import type { ProtocolError } from "../../protocol/errors.ts";
import type { ChatClient } from "../chat-client.ts";
import { type Context, withClient } from "../commands/context.ts";
import { Outbox } from "../outbox.ts";
import { PersonFiles } from "../person-files.ts";
import { ChatShell } from "./chat-shell.ts";
import { Entrance } from "./entrance.ts";
import { PromptScreen } from "./prompt-screen.ts";
import { PromptEnded, Prompts } from "./prompts.ts";

/** Between tries to connect at most, so that a countdown is worth reading. */
const reconnectMaxMs = 4_000;

/**
 * `tertulia chat` in a terminal, until the person quits or a signal comes.
 * @throws Problem if there is no terminal, or nobody can be reached at the beginning
 */
export async function runFullScreen(context: Context): Promise<void> {
  const { host, text, config } = context;
  if (!host.input.isTTY || !host.output.isTTY) throw new Problem(text("problem.notATerminal"), 2);
  const stopping = new AbortController();
  using _ = host.onStop(() => stopping.abort());
  const screen = new PromptScreen(host.output);
  const prompts = new Prompts({ input: host.input, screen, signal: stopping.signal, text });
  let shell: ChatShell | undefined;
  const use = async (client: ChatClient) => {
    const entrance = new Entrance({ context, client, prompts, screen });
    const user = await entrance.enter();
    const files = new PersonFiles(stateFolder(), config.brokers, user);
    const logFile = openLogFile(files.openLogFile());
    const outbox = Outbox.open(files.outboxFolder, () => shell?.text ?? text);
    try {
      const clock = () => client.clock.value;
      const log = openLog({ level: "info", role: "chat", name: () => user, clock, fd: logFile.fd });
      shell = new ChatShell({ context, client, user, entrance, files, outbox, log });
      await shell.run(stopping.signal);
    } finally {
      outbox.close();
      logFile.close();
    }
  };
  try {
    await withClient(context, use, {
      proxies: config.proxies,
      reconnectMaxMs,
      onState: (state) => shell?.connection(state),
      onRetry: (inMs) => shell?.retry(inMs),
      onRefused: (error: ProtocolError) => shell?.refused(error),
    });
  } catch (error) {
    if (!(error instanceof PromptEnded)) throw error;
  }
}

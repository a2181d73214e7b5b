import { ProtocolError } from "../../protocol/errors.ts";
import type { ChatClient } from "../chat-client.ts";
import type { Context } from "../commands/context.ts";
import { asFailure, describe, wantsLogin } from "../commands/failure.ts";
import type { PromptScreen } from "./prompt-screen.ts";
import type { Prompts } from "./prompts.ts";

/** What everything in the menu has at hand. */
export interface MenuParts {
  readonly context: Context;
  readonly client: ChatClient;
  readonly prompts: Prompts;
  readonly screen: PromptScreen;
}

/** What a server refused is told, and the person goes on. @throws whatever else it is */
export function tell(error: unknown, { context, client, screen }: MenuParts): void {
  if (!(error instanceof ProtocolError)) throw error;
  const { config, text, output } = context;
  const sentence = wantsLogin(error)
    ? text("menu.logInNext", { why: describe(error, text) })
    : (asFailure(error, text, { config, client }) as Error).message;
  screen.print(output.paint("red", sentence));
}

import type { Host } from "../../platform/host.ts";
import { Problem } from "../../platform/problem.ts";
import type { ProtocolError } from "../../protocol/errors.ts";
import type { ChannelName, UserName } from "../../protocol/ids.ts";
import type { Language, Text } from "../../texts/texts.ts";
import { ChatClient, type ChatClientOptions } from "../chat-client.ts";
import type { ClientConfig } from "../config.ts";
import { parseChannel, parseTarget, parseUser, type Target } from "../core/target.ts";
import { asFailure, describeTrouble } from "./failure.ts";
import type { Output } from "./output.ts";

/** What every command has at hand. */
export interface Context {
  readonly config: ClientConfig;
  readonly text: Text;
  readonly language: Language;
  readonly output: Output;
  readonly host: Host;
}

/**
 * Lends a client for the time of a command.
 * @throws Problem that tells a person what the server said, or that none is there
 */
export async function withClient<T>(
  { config, text, output }: Context,
  use: (client: ChatClient) => Promise<T>,
  options: Partial<ChatClientOptions> = {},
): Promise<T> {
  let refuse = (_error: ProtocolError) => {};
  const refused = new Promise<never>((_resolve, reject) => {
    refuse = reject;
  });
  const client = new ChatClient({
    brokers: config.brokers,
    proxies: [],
    deadlineMs: config.timeoutMs,
    token: config.session?.token,
    onToken: (token) => config.sessions.save(token),
    // Who hears nothing any more should not go on listening.
    onRefused: refuse,
    ...options,
  });
  try {
    return await Promise.race([use(client), refused]);
  } catch (error) {
    throw asFailure(error, text, { config, client });
  } finally {
    await client.close();
    const { failure, troubles } = config.sessions;
    for (const trouble of troubles) output.note(describeTrouble(trouble, text));
    if (failure === "no folder") output.note(text("note.noFolder"));
    else if (failure !== undefined) output.note(text("note.notKept", failure));
  }
}

/** @throws Problem (exit code 2) if nobody said who the user is */
export function userOf({ config, text }: Context): UserName {
  const user = config.user ?? config.session?.user ?? config.loginName;
  if (user === undefined) throw new Problem(text("problem.noUser"), 2);
  return user;
}

/** @throws Problem (exit code 2) if it is neither `#channel` nor `@user` */
export function targetOf({ text }: Context, target: string): Target {
  const parsed = parseTarget(target);
  if (parsed === undefined) throw new Problem(text("problem.target", { target }), 2);
  return parsed;
}

/** @throws Problem (exit code 2) if it can be no channel's name */
export function channelOf({ text }: Context, name: string): ChannelName {
  const channel = parseChannel(name);
  if (channel === undefined) throw new Problem(text("problem.name", { name }), 2);
  return channel;
}

/** @throws Problem (exit code 2) if it can be no user's name */
export function nameOf({ text }: Context, name: string): UserName {
  const user = parseUser(name);
  if (user === undefined) throw new Problem(text("problem.name", { name }), 2);
  return user;
}

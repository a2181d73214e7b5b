import type { Host } from "../../platform/host.ts";
import { Problem } from "../../platform/problem.ts";
import type { ProtocolError } from "../../protocol/errors.ts";
import type { ChannelName, UserName } from "../../protocol/ids.ts";
import { type Language, languageOf, type Text, textsIn } from "../../texts/texts.ts";
import type { ClientConfig } from "../config.ts";
import { Connection, type ConnectionOptions } from "../connection.ts";
import type { ConnectionState } from "../connection-watch.ts";
import { parseChannel, parseTarget, parseUser, type Target } from "../core/target.ts";
import type { Session, SessionOptions } from "../session.ts";
import { asFailure, describeTrouble } from "./failure.ts";
import type { Output } from "./output.ts";

/** The values that every command gets. */
export interface Context {
  readonly config: ClientConfig;
  /** Texts in the person's language, which `speak` changes. */
  text: Text;
  language: Language;
  readonly output: Output;
  readonly host: Host;
}

/**
 * Switches all texts for the person to another language.
 * @throws Problem if no texts exist in that language
 */
export function speak(context: Context, name: string): void {
  const language = languageOf(name);
  if (language === undefined) throw new Problem(context.text("problem.lang", { value: name }));
  context.language = language;
  context.text = textsIn(language);
}

export type ClientOptions = Partial<ConnectionOptions> & SessionOptions;

/** Listeners that a command may set while its session is open. */
export interface ClientEvents {
  onState?: (state: ConnectionState) => void;
  onRetry?: (inMs: number) => void;
  /** Called when a server refuses a subscription. By default, the refusal ends the command. */
  onRefused?: (error: ProtocolError) => void;
}

/**
 * Opens a session for a command, and closes it afterwards.
 * @throws Problem in the person's language if a server refuses a request, or if no server can be
 * reached
 */
export async function withClient<T>(
  context: Context,
  use: (client: Session, events: ClientEvents) => Promise<T>,
  options: ClientOptions = {},
): Promise<T> {
  const { config, output } = context;
  const events: ClientEvents = {};
  const refused = new Promise<never>((_resolve, reject) => {
    events.onRefused = reject;
  });
  const connection = new Connection({
    brokers: config.brokers,
    proxies: [],
    deadlineMs: config.timeoutMs,
    onState: (state) => events.onState?.(state),
    onRetry: (inMs) => events.onRetry?.(inMs),
    ...options,
  });
  const client = connection.session({
    user: knownUser(config),
    token: config.session?.token,
    onToken: (token) => config.sessions.save(token),
    onRefused: (error) => events.onRefused?.(error),
    ...options,
  });
  try {
    return await Promise.race([use(client, events), refused]);
  } catch (error) {
    throw asFailure(error, context, client);
  } finally {
    connection.close();
    const { text } = context;
    const { failure, troubles } = config.sessions;
    for (const trouble of troubles) output.note(describeTrouble(trouble, text));
    if (failure === "no folder") output.note(text("note.noFolder"));
    else if (failure !== undefined) output.note(text("note.notKept", failure));
  }
}

/**
 * Returns the user of the settings, of a saved session or of the process; undefined if there is
 * none.
 */
export function knownUser({ user, session, loginName }: ClientConfig): UserName | undefined {
  return user ?? session?.user ?? loginName;
}

/**
 * @throws Problem (exit code 2) if no user is known from the settings, a saved session or the
 * process owner's login name
 */
export function userOf({ config, text }: Context): UserName {
  const user = knownUser(config);
  if (user === undefined) throw new Problem(text("problem.noUser"), 2);
  return user;
}

/** @throws Problem (exit code 2) if `target` is neither `#channel` nor `@user` */
export function targetOf({ text }: Context, target: string): Target {
  const parsed = parseTarget(target);
  if (parsed === undefined) throw new Problem(text("problem.target", { target }), 2);
  return parsed;
}

/** @throws Problem (exit code 2) if `name` is not a channel name */
export function channelOf({ text }: Context, name: string): ChannelName {
  const channel = parseChannel(name);
  if (channel === undefined) throw new Problem(text("problem.name", { name }), 2);
  return channel;
}

/** @throws Problem (exit code 2) if `name` is not a user name */
export function nameOf({ text }: Context, name: string): UserName {
  const user = parseUser(name);
  if (user === undefined) throw new Problem(text("problem.name", { name }), 2);
  return user;
}

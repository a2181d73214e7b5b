import { pause } from "../../platform/clock.ts";
import { retrying } from "../../platform/retry.ts";
import type { Present } from "../../protocol/client-messages.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import type { UserName } from "../../protocol/ids.ts";
import { durations } from "../../protocol/limits.ts";
import type { Context } from "../commands/context.ts";
import { wantsLogin } from "../commands/failure.ts";
import type { Session } from "../session.ts";

export interface ChatSessionParts {
  readonly context: Context;
  readonly client: Session;
  readonly user: UserName;
  /** Aborted when the chat ends. */
  readonly signal: AbortSignal;
  /** Lets the person log in again. @returns false if they would rather not */
  readonly logIn: (error: ProtocolError) => Promise<boolean>;
}

/** So many private messages are searched for those that came while the person was away. */
export const privateEntries = 500;

const pauseMs = 500;

/** A person's session in the chat, whichever front end shows it. */
export class ChatSession {
  readonly context: Context;
  readonly client: Session;
  readonly user: UserName;
  readonly signal: AbortSignal;
  isAway = false;
  readonly #logIn: (error: ProtocolError) => Promise<boolean>;
  #logins = 0;
  #loggingIn: Promise<boolean> | undefined;
  /** Why nothing is served any more, as the person was told. */
  #refusal: string | undefined;

  constructor({ context, client, user, signal, logIn }: ChatSessionParts) {
    this.context = context;
    this.client = client;
    this.user = user;
    this.signal = signal;
    this.#logIn = logIn;
  }

  /** Asks the servers; if the session has ended, the person logs in, and the servers are asked again. */
  async ask<T>(request: () => Promise<T>): Promise<T> {
    for (;;) {
      const logins = this.#logins;
      try {
        const answer = await request();
        this.#refusal = undefined;
        return answer;
      } catch (error) {
        if (!wantsLogin(error)) throw error;
        // A request of the session before may be refused only after the next log-in.
        if (logins === this.#logins) await this.#logInAgain(error);
      }
    }
  }

  /** The same until it succeeds, while another try can help. */
  patiently<T>(request: () => Promise<T>): Promise<T> {
    const canHelp = (error: unknown) => error instanceof ProtocolError && error.retry;
    return retrying({ canHelp, pauseMs, signal: this.signal }, () => this.ask(request));
  }

  /** @throws the error itself, if the person would rather not log in */
  async #logInAgain(error: ProtocolError): Promise<void> {
    if (this.signal.aborted) throw error;
    // Several requests may fail at once: the person is asked once.
    this.#loggingIn ??= this.#logIn(error).finally(() => {
      this.#loggingIn = undefined;
    });
    if (!(await this.#loggingIn) || this.signal.aborted) throw error;
    this.#logins += 1;
  }

  /** Whether the person has not been told of this refusal yet: each try meets it again. */
  isNews({ message }: ProtocolError): boolean {
    const isNews = message !== this.#refusal;
    this.#refusal = message;
    return isNews;
  }

  /** Tells the servers that the person is here or away, and asks who else is. */
  presence(): Promise<readonly Present[]> {
    return this.ask(() => this.client.presence(this.isAway ? "away" : "online"));
  }

  /** Keeps the person present until the chat ends. */
  beat(onPresent: (present: readonly Present[]) => void = () => {}): Promise<void> {
    return this.repeat(durations.presenceMs, async () => onPresent(await this.presence()));
  }

  async repeat(everyMs: number, act: () => Promise<void>): Promise<void> {
    while (!this.signal.aborted) {
      await this.quietly(act);
      await pause(everyMs, this.signal);
    }
  }

  /** For what is asked again soon anyway. */
  async quietly(act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
    }
  }
}

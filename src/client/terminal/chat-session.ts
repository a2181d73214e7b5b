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
  /** Lets the person log in again. @returns false if the person declines */
  readonly logIn: (error: ProtocolError) => Promise<boolean>;
}

/** The most private messages that are read to find those that arrived while the person was away. */
export const privateEntries = 500;

const pauseMs = 500;

/** A person's session in a chat: full screen, line mode or menu. */
export class ChatSession {
  readonly context: Context;
  readonly client: Session;
  readonly user: UserName;
  readonly signal: AbortSignal;
  isAway = false;
  readonly #logIn: (error: ProtocolError) => Promise<boolean>;
  #logins = 0;
  #loggingIn: Promise<boolean> | undefined;
  /** Message of the last refusal; undefined after a request succeeded. */
  #refusal: string | undefined;

  constructor({ context, client, user, signal, logIn }: ChatSessionParts) {
    this.context = context;
    this.client = client;
    this.user = user;
    this.signal = signal;
    this.#logIn = logIn;
  }

  /**
   * Performs a request. If the session has ended, lets the person log in and repeats the request.
   */
  async ask<T>(request: () => Promise<T>): Promise<T> {
    for (;;) {
      const logins = this.#logins;
      try {
        const answer = await request();
        this.#refusal = undefined;
        return answer;
      } catch (error) {
        if (!wantsLogin(error)) throw error;
        // If the person has logged in since the request began, the refusal concerns the previous
        // session, so no further login is needed.
        if (logins === this.#logins) await this.#logInAgain(error);
      }
    }
  }

  /** Repeats `ask` until the request succeeds or a retry can't help. */
  patiently<T>(request: () => Promise<T>): Promise<T> {
    const canHelp = (error: unknown) => error instanceof ProtocolError && error.retry;
    return retrying({ canHelp, pauseMs, signal: this.signal }, () => this.ask(request));
  }

  /** @throws `error`, if the person declines to log in or the chat ends */
  async #logInAgain(error: ProtocolError): Promise<void> {
    if (this.signal.aborted) throw error;
    // If several requests fail at once, the person is asked only once.
    this.#loggingIn ??= this.#logIn(error).finally(() => {
      this.#loggingIn = undefined;
    });
    if (!(await this.#loggingIn) || this.signal.aborted) throw error;
    this.#logins += 1;
  }

  /** Stores a refusal. @returns false if the last stored refusal has the same message */
  isNews({ message }: ProtocolError): boolean {
    const isNews = message !== this.#refusal;
    this.#refusal = message;
    return isNews;
  }

  /** Reports the person as online or away. @returns the users who are present */
  presence(): Promise<readonly Present[]> {
    return this.ask(() => this.client.presence(this.isAway ? "away" : "online"));
  }

  /** Reports the person's presence at intervals until the chat ends. */
  beat(onPresent: (present: readonly Present[]) => void = () => {}): Promise<void> {
    return this.repeat(durations.presenceMs, async () => onPresent(await this.presence()));
  }

  async repeat(everyMs: number, act: () => Promise<void>): Promise<void> {
    while (!this.signal.aborted) {
      await this.quietly(act);
      await pause(everyMs, this.signal);
    }
  }

  /** Calls `act`, and ignores a ProtocolError, because the request is repeated soon. */
  async quietly(act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
    }
  }
}

import type { Connection } from "../client/connection.ts";
import type { Session } from "../client/session.ts";
import { Sessions } from "../net/sessions.ts";
import { now, pause } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import type { Secret } from "../platform/secret.ts";
import { ProtocolError } from "../protocol/errors.ts";
import type { UserName } from "../protocol/ids.ts";
import { durations } from "../protocol/limits.ts";
import type { GameName, MatchId, OpenMatch } from "../protocol/matches.ts";
import type { Decided, Place, Question } from "./core/effects.ts";

const pauseMs = 200;

/** Asks the cluster in the name of this game server, with tokens that it signs itself. */
export class ClusterSide {
  readonly #connection: Connection;
  readonly #sessions: Sessions;
  readonly #log: Log;
  readonly #over = new AbortController();
  #session: { readonly session: Session; readonly untilMs: number } | undefined;

  constructor(connection: Connection, secret: Secret, log: Log) {
    this.#connection = connection;
    this.#sessions = new Sessions(secret.deriveKeys("token"));
    this.#log = log;
  }

  /** Asks until the outcome is known. Each question has the same outcome however often it is asked. */
  async decide(game: GameName, question: Question): Promise<Decided | undefined> {
    const { service, ...fields } = question;
    return await this.#untilKnown(async (session) => {
      const data = { ...fields, game };
      return (await session.ask(service, data as never)) as Decided;
    });
  }

  /** @returns all open matches, as of now */
  async list(): Promise<readonly OpenMatch[] | undefined> {
    const all = await this.#untilKnown(async (session) => {
      const found: OpenMatch[] = [];
      let from: MatchId | undefined;
      do {
        const page = await session.ask("matches", { from }, { consistency: "now" });
        found.push(...page.matches);
        from = page.next as MatchId | undefined;
      } while (from !== undefined);
      return found;
    });
    return all === undefined || "refused" in all ? undefined : all;
  }

  /** @returns undefined if the cluster does not answer */
  async locate(user: UserName): Promise<Place | undefined> {
    try {
      const asked = { user };
      const { open, record } = await this.#own().ask("match", asked, { consistency: "now" });
      return { open, rating: record.rating };
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      if (error.code === "unauthenticated") this.#session = undefined;
      return undefined;
    }
  }

  close(): void {
    this.#over.abort();
  }

  async #untilKnown<T extends object>(
    ask: (session: Session) => Promise<T>,
  ): Promise<T | { readonly refused: string } | undefined> {
    while (!this.#over.signal.aborted) {
      try {
        return await ask(this.#own());
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error;
        const isOpen = error.retry || error.code === "expired" || error.code === "unauthenticated";
        if (!isOpen) return { refused: error.code };
        if (error.code === "unauthenticated") {
          this.#session = undefined;
          this.#log.warn(`The cluster does not believe this game server: ${error.message}`);
        }
        await pause(pauseMs, this.#over.signal);
      }
    }
    return undefined;
  }

  /** Returns a session whose token is valid for a while. */
  #own(): Session {
    const { wallMs, steadyMs } = now();
    if (this.#session === undefined || this.#session.untilMs < steadyMs) {
      const session = this.#connection.session({ token: this.#sessions.giveOperator(wallMs) });
      this.#session = { session, untilMs: steadyMs + durations.operatorMs / 2 };
    }
    return this.#session.session;
  }
}

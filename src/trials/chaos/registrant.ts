import { setMaxListeners } from "node:events";
import type { Session } from "../../client/session.ts";
import { pause } from "../../platform/clock.ts";
import { type Random, randomHex } from "../../platform/random.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { parseUserName, type RequestId } from "../../protocol/ids.ts";
import type { Claim, ClaimAnswer } from "./core/names.ts";

export interface RegistrantOptions {
  readonly name: string;
  readonly session: Session;
  /** Whether the client gives up a claim at its session's deadline; otherwise it asks again. */
  readonly isImpatient?: boolean;
  readonly random: Random;
  readonly elapsedMs: () => number;
  /** Aborting this signal ends all requests. */
  readonly signal: AbortSignal;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };
interface OpenClaim extends Mutable<Claim> {
  answers: ClaimAnswer[];
}

/** The share of decided claims that the client sends again. */
const againPart = 0.25;
/** The longest delay, in milliseconds, before the client sends a decided claim again. */
const againMs = 5_000;
const passwordBytes = 8;

/** A client that claims names over its own connection, and records the answers. */
export class Registrant {
  readonly claims: Claim[] = [];
  readonly #options: RegistrantOptions;
  readonly #open = new Set<Promise<void>>();

  constructor(options: RegistrantOptions) {
    this.#options = options;
    // Each claim that waits to be sent again listens to the signal, so Node must allow many
    // listeners.
    setMaxListeners(0, options.signal);
  }

  /** The number of claims that wait for an answer or are being sent again. */
  get open(): number {
    return this.#open.size;
  }

  /**
   * Claims a name. Resolves when the claim is decided or given up; some decided claims are sent
   * again later.
   */
  async claim(name: string): Promise<void> {
    const { session, elapsedMs, random } = this.#options;
    const claim: OpenClaim = {
      name,
      client: this.#options.name,
      id: session.newId(),
      beganMs: elapsedMs(),
      answers: [],
      isGivenUp: false,
    };
    this.claims.push(claim);
    const password = randomHex(passwordBytes);
    await this.#noted(this.#ask(claim, password));
    if (claim.answers.length > 0 && random() < againPart) {
      void this.#noted(this.#askAgain(claim, password));
    }
  }

  /** Resolves when no claim is open. */
  async settled(): Promise<void> {
    while (this.#open.size > 0) await Promise.all(this.#open);
  }

  #noted(asking: Promise<void>): Promise<void> {
    this.#open.add(asking);
    return asking.finally(() => this.#open.delete(asking));
  }

  /**
   * Sends a claim again after a while, like a client that missed its answer. Another server or a
   * later coordinator may answer.
   */
  async #askAgain(claim: OpenClaim, password: string): Promise<void> {
    const { random, signal } = this.#options;
    await pause(againMs * random(), signal);
    await this.#ask(claim, password);
  }

  async #ask(claim: OpenClaim, password: string): Promise<void> {
    const { session, elapsedMs, isImpatient = false, signal } = this.#options;
    const { name: user, id } = claim;
    const told = (answer: ClaimAnswer["answer"]) =>
      claim.answers.push({ atMs: elapsedMs(), answer });
    do {
      try {
        const data = { user: parseUserName(user), password };
        await session.ask("register", data, { id: id as RequestId });
        told("won");
        return;
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error;
        if (error.code === "name_taken") {
          told("taken");
          return;
        }
        if (!error.retry) {
          claim.refused = error.code;
          return;
        }
        claim.isGivenUp = isImpatient;
      }
    } while (!isImpatient && !signal.aborted);
  }
}

import { Connection } from "../client/connection.ts";
import type { Session } from "../client/session.ts";
import { isMismatch, refusalText } from "../net/connection-refusal.ts";
import { ReferenceLink, reportPresence } from "../net/reference-link.ts";
import { ReferenceWatch } from "../net/reference-watch.ts";
import { now, pause } from "../platform/clock.ts";
import { type Log, openLog } from "../platform/log.ts";
import { Problem } from "../platform/problem.ts";
import { type Random, random, seededRandom } from "../platform/random.ts";
import { isExistingChannel, ProtocolError } from "../protocol/errors.ts";
import { type ChannelName, parseUserName } from "../protocol/ids.ts";
import { ownPassword, readPasswordFile } from "../storage/password-file.ts";
import { openProcessFile, type ProcessFile } from "../storage/process-file.ts";
import type { BotConfig } from "./config.ts";
import { botName, firstChannel, nextBurst } from "./core/behavior.ts";
import { type BotAccount, logIn } from "./log-in.ts";

/** The largest number of messages that may wait for a receipt at once. */
const mostOpen = 512;
const graceMs = 1_800;
/** The shortest pause after a refusal that only a person can resolve. */
const refusedRestMs = 30_000;

/**
 * Starts a bot. The bot logs in, and then repeats: list the channels, pick one, send a burst,
 * pause.
 */
export async function startBot(config: BotConfig) {
  const chance = config.seed === undefined ? random : seededRandom(config.seed);
  const { passwordFile, invitation } = config;
  const told = passwordFile === undefined ? undefined : readPasswordFile(passwordFile);
  const file = await openProcessFile(config.slots, "bot", () => botName(random));
  const name = config.name ?? parseUserName(file.name);
  const connection = new Connection({
    brokers: config.brokers,
    proxies: config.proxies,
    clock: file.savedClock,
  });
  const session = connection.session({ user: name });
  const log = openLog({
    level: config.logLevel,
    role: "bot",
    name: () => name,
    clock: () => connection.clock.value,
  });
  const password = async () => told ?? (await ownPassword(file.folder));
  const account = { name, password, invitation };
  const runner = new Runner({ config, account, connection, session, log, chance });
  const link = new ReferenceLink(config.reference, connection.clock, {
    watch: new ReferenceWatch(config.reference, log),
  });
  const presence = reportPresence(link, { name, role: "bot" });
  const ended = runner.run();
  return {
    runner,
    ended,
    [Symbol.asyncDispose]: async () => {
      presence[Symbol.dispose]();
      link.close();
      await runner.stop();
      await ended;
      await close(file, connection);
      log.info(runner.report, "Stopped");
    },
  };
}

async function close(file: ProcessFile, connection: Connection): Promise<void> {
  connection.close();
  await file.save(connection.clock);
  await file[Symbol.asyncDispose]();
}

interface Parts {
  readonly config: BotConfig;
  readonly account: BotAccount;
  readonly connection: Connection;
  readonly session: Session;
  readonly log: Log;
  readonly chance: Random;
}

class Runner {
  readonly #parts: Parts;
  readonly #stopping = new AbortController();
  readonly #open = new Set<Promise<void>>();
  readonly #heard = new Set<ChannelName>();
  #sent = 0;
  #acknowledged = 0;
  #received = 0;
  #loggedIn = false;
  /** Set once a request fails with `unsupported`; the bot then ends with this problem. */
  #unsupported: Problem | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  get report() {
    const { account, connection } = this.#parts;
    return {
      name: account.name,
      /** Number of messages passed to the client library. */
      sent: this.#sent,
      /** Number of messages for which the bot received a receipt. */
      acknowledged: this.#acknowledged,
      /** Number of retries, of all requests together. */
      retried: connection.retried,
      /** Number of publications received on the channels that the bot has written to. */
      received: this.#received,
    };
  }

  /**
   * @throws Problem if a broker refuses the connection for good, or a request fails as
   * `unsupported`
   */
  async run(): Promise<void> {
    const { session, account, config } = this.#parts;
    while (!this.#isDone) {
      let restMs = config.pauseMs;
      try {
        if (!this.#loggedIn) await logIn(session, account);
        this.#loggedIn = true;
        await this.#burst();
      } catch (error) {
        this.#endIfRefused();
        const { retry } = this.#warn(error);
        // Only a person can resolve this error, so the bot pauses for at least `refusedRestMs`.
        if (!retry) restMs = Math.max(restMs, refusedRestMs);
      }
      if (!this.#isDone) await pause(restMs, this.#stopping.signal);
    }
    await Promise.all(this.#open);
    if (this.#unsupported !== undefined) throw this.#unsupported;
  }

  /**
   * Sends no new message, waits at most `graceMs` for the receipts of sent messages, and closes the
   * connection.
   */
  async stop(): Promise<void> {
    this.#stopping.abort();
    const grace = new AbortController();
    await Promise.race([Promise.all(this.#open), pause(graceMs, grace.signal)]);
    grace.abort();
    this.#parts.connection.close();
  }

  /**
   * Ends the bot if a broker refuses the connection for good. Retries can't help, because the bot
   * reads the cluster's key only when it starts.
   */
  #endIfRefused(): void {
    const { refusal } = this.#parts.connection;
    if (refusal === undefined || !isMismatch(refusal) || this.#isDone) return;
    throw new Problem(`The broker does not take the connection: ${refusalText[refusal]}.`);
  }

  get #isDone(): boolean {
    const { count } = this.#parts.config;
    if (this.#unsupported !== undefined) return true;
    return this.#stopping.signal.aborted || (count > 0 && this.#sent >= count);
  }

  async #burst(): Promise<void> {
    const { config, chance } = this.#parts;
    const burst = nextBurst(await this.#channels(), config.burst, chance);
    if (burst === undefined) return;
    await this.#listen(burst.channel);
    const startMs = now().steadyMs;
    for (const [index, text] of burst.texts.entries()) {
      if (this.#isDone) return;
      if (config.rate > 0) {
        const dueMs = startMs + (index * 1_000) / config.rate;
        const waitMs = dueMs - now().steadyMs;
        if (waitMs > 0) await pause(waitMs, this.#stopping.signal);
      }
      while (this.#open.size >= mostOpen) await Promise.race(this.#open);
      this.#send(burst.channel, text);
    }
    await Promise.all(this.#open);
  }

  #send(channel: ChannelName, text: string): void {
    this.#sent += 1;
    const sending = this.#parts.session
      .publish(channel, text)
      .then(() => {
        this.#acknowledged += 1;
      })
      .catch((error: unknown) => void this.#warn(error))
      .finally(() => this.#open.delete(sending));
    this.#open.add(sending);
  }

  /** Logs and returns a ProtocolError. @throws any other error */
  #warn(error: unknown): ProtocolError {
    if (!(error instanceof ProtocolError)) throw error;
    // A server of the original protocol has answered. Such a server does not recognise retries, so
    // a retried request could take effect twice. So the bot ends.
    if (error.code === "unsupported") {
      this.#unsupported ??= new Problem(error.message);
      return error;
    }
    // The bot has no valid session, so it must log in before its next burst.
    if (error.code === "unauthenticated") this.#loggedIn = false;
    const { log } = this.#parts;
    if (!this.#stopping.signal.aborted) log.warn({ code: error.code }, error.message);
    return error;
  }

  async #channels(): Promise<readonly ChannelName[]> {
    const { session, config } = this.#parts;
    const present = await session.channels();
    const channels = config.channels ?? (present.length === 0 ? [firstChannel] : present);
    for (const channel of channels) {
      if (!present.includes(channel)) await this.#create(channel);
    }
    return channels;
  }

  /** Creates a channel, unless another bot has created it. */
  async #create(channel: ChannelName): Promise<void> {
    try {
      await this.#parts.session.createChannel(channel);
    } catch (error) {
      if (!isExistingChannel(error)) throw error;
    }
  }

  async #listen(channel: ChannelName): Promise<void> {
    if (this.#heard.has(channel)) return;
    this.#heard.add(channel);
    await this.#parts.session.subscribe({ channel }, () => {
      this.#received += 1;
    });
  }
}

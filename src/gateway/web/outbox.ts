import type { Outgoing } from "../../client/core/outgoing.ts";
import type { Receipt } from "../../protocol/client-messages.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import type { UserName } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import { pause } from "./browser.ts";

/** What happens to a message of the outbox. Every tab of the person hears of it. */
export type OutboxNews =
  | { readonly type: "queued"; readonly outgoing: Outgoing }
  | { readonly type: "sent"; readonly outgoing: Outgoing; readonly receipt: Receipt }
  | { readonly type: "refused"; readonly outgoing: Outgoing; readonly why: string };

interface OutboxParts {
  readonly user: UserName;
  readonly onNews: (news: OutboxNews) => void;
  /** Sends a message, as soon as there is a connection. @throws ProtocolError */
  readonly send: (outgoing: Outgoing) => Promise<Receipt>;
  /** Says in a sentence for the person why a message was refused. */
  readonly describe: (error: ProtocolError) => string;
}

const store = "messages";
const byUser = "user";

type Stored = Outgoing & { readonly number: number };

/**
 * The messages of a person that have no receipt yet, in this browser's database. A message is
 * written before it is sent, so it outlives the page. Of all tabs of the person, only the one with
 * the lock sends, one message after the other.
 */
export class Outbox {
  readonly #parts: OutboxParts;
  readonly #database: IDBDatabase;
  readonly #channel: BroadcastChannel;
  readonly #ending = new AbortController();
  #wake: () => void = () => {};

  private constructor(parts: OutboxParts, database: IDBDatabase) {
    this.#parts = parts;
    this.#database = database;
    this.#channel = new BroadcastChannel(`tertulia ${parts.user}`);
    this.#channel.onmessage = ({ data }) => this.#hear(data as OutboxNews);
  }

  /** @throws DOMException if this browser keeps no data for the page */
  static async open(parts: OutboxParts): Promise<Outbox> {
    const request = indexedDB.open("tertulia", 1);
    request.onupgradeneeded = () => {
      const messages = request.result.createObjectStore(store, {
        keyPath: "number",
        autoIncrement: true,
      });
      messages.createIndex(byUser, "user");
    };
    const outbox = new Outbox(parts, await done(request));
    for (const outgoing of await outbox.#waiting()) parts.onNews({ type: "queued", outgoing });
    void outbox.#sendAll();
    return outbox;
  }

  /**
   * Keeps a message, and sends it as soon as possible.
   * @throws ProtocolError `too_large` if too many messages wait
   * @throws DOMException if the message can't be written
   */
  async add(outgoing: Outgoing): Promise<void> {
    if ((await this.#waiting()).length >= limits.outboxMessages) {
      throw new ProtocolError("too_large", "Too many messages wait to be sent.");
    }
    const writing = this.#database.transaction(store, "readwrite", { durability: "strict" });
    writing.objectStore(store).add(outgoing);
    await finished(writing);
    this.#tell({ type: "queued", outgoing });
    this.#wake();
  }

  close(): void {
    this.#ending.abort();
    this.#wake();
    this.#channel.close();
    this.#database.close();
  }

  #hear(news: OutboxNews): void {
    if (news.type === "queued") this.#wake();
    this.#parts.onNews(news);
  }

  #tell(news: OutboxNews): void {
    this.#parts.onNews(news);
    this.#channel.postMessage(news);
  }

  #waiting(): Promise<Stored[]> {
    const messages = this.#database.transaction(store).objectStore(store);
    return done(messages.index(byUser).getAll(this.#parts.user) as IDBRequest<Stored[]>);
  }

  /** Sends while this tab has the lock. Without encryption browsers have no locks. */
  async #sendAll(): Promise<void> {
    const { signal } = this.#ending;
    const name = `tertulia outbox ${this.#parts.user}`;
    try {
      if (navigator.locks === undefined) return await this.#sendInTurn();
      await navigator.locks.request(name, { signal }, () => this.#sendInTurn());
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  async #sendInTurn(): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      const [first] = await this.#waiting();
      if (first === undefined) await woken;
      else await this.#send(first);
    }
  }

  async #send({ number, ...outgoing }: Stored): Promise<void> {
    const { signal } = this.#ending;
    try {
      const receipt = await this.#parts.send(outgoing);
      if (signal.aborted) return;
      await this.#settle(number);
      this.#tell({ type: "sent", outgoing, receipt });
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ProtocolError)) throw error;
      if (error.retry || error.code === "unauthenticated") {
        return pause((error.wait ?? 1) * 1_000, signal);
      }
      await this.#settle(number);
      this.#tell({ type: "refused", outgoing, why: this.#parts.describe(error) });
    }
  }

  async #settle(number: number): Promise<void> {
    const writing = this.#database.transaction(store, "readwrite");
    writing.objectStore(store).delete(number);
    await finished(writing);
  }
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function finished(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onerror = () => reject(transaction.error);
    transaction.onabort = () => reject(transaction.error);
  });
}

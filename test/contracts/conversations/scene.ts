import { expect } from "vitest";
import { randomHex } from "../../../src/platform/random.ts";
import type { Receipt, Service } from "../../../src/protocol/client-messages.ts";
import type { ProtocolError } from "../../../src/protocol/errors.ts";
import type { Fields } from "../../../src/protocol/fields.ts";
import { parseError, parseReply } from "../../../src/protocol/parse-reply.ts";
import type { Entry } from "../../../src/protocol/publications.ts";
import type { HistoryPage, Reply } from "../../../src/protocol/replies.ts";
import { type MutableVector, raise, type Vector } from "../../../src/protocol/vector.ts";
import { until } from "../../support/until.ts";
import { type Subject, servers } from "./subject.ts";

/** A write is repeated for as long as an election, or a start of the database, may take. */
const patienceMs = 20_000;

/**
 * The people of a test and their rooms. They tell each other all that they have seen, so each of
 * their requests shows what any of them was told (R9).
 */
export class Scene {
  readonly subject: Subject;
  readonly seen: MutableVector = {};
  /** The highest clock that anybody was told (R7). */
  clock = 0;
  /** The highest slot that anybody was told (D8). */
  slot = 0;
  readonly operator: Person;
  #both: Promise<[Person, Person]> | undefined;
  #names = 0;

  constructor(subject: Subject) {
    this.subject = subject;
    this.operator = new Person(this, "operator", () => subject.operator);
  }

  /** The same two users in each test. */
  anaAndBia(): Promise<[Person, Person]> {
    this.#both ??= Promise.all([this.#enter("ana"), this.#enter("bia")]);
    return this.#both;
  }

  /** Makes new users. */
  people(count: number): Promise<Person[]> {
    return Promise.all(Array.from({ length: count }, () => this.#enter(this.newName("person"))));
  }

  /** Registers an account and logs it in. */
  async #enter(user: string): Promise<Person> {
    const person = new Person(this, user);
    const { password } = person;
    await person.ask(1, "register", { user, password });
    await person.ask(1, "login", { user, password });
    return person;
  }

  /** Makes a channel with a name of its own. */
  async channel(by: Person): Promise<string> {
    const channel = this.newName("room");
    await by.ask(1, "channel", { channel });
    return channel;
  }

  newName(kind: string): string {
    this.#names += 1;
    return `${kind}-${this.#names}`;
  }

  see(reply: Fields): void {
    const { clock, slot, entry } = reply;
    this.clock = Math.max(this.clock, Number(clock));
    this.slot = Math.max(this.slot, Number(slot));
    const { server, seq } = (entry ?? {}) as Partial<Receipt>;
    if (server !== undefined && seq !== undefined) raise(this.seen, { [server]: seq });
  }
}

/** What a receipt says of an event for ever. */
export type Place = Omit<Receipt, "durable">;

/** A user of the servers, with or without an account. */
export class Person {
  readonly user: string;
  readonly password: string;
  readonly #scene: Scene;
  #token: () => string | undefined;

  constructor(scene: Scene, user: string, token: () => string | undefined = () => undefined) {
    this.#scene = scene;
    this.user = user;
    this.password = `the password of ${user}`;
    this.#token = token;
  }

  /**
   * Asks a server, again and again while it answers `retry`.
   * @param data the request's fields; also those of all requests (W6), such as `id`
   * @throws ProtocolError if the request is refused
   */
  async ask<S extends Service>(server: number, service: S, data: Fields = {}): Promise<Reply<S>> {
    const reply = await this.tell(server, service, data);
    if (reply.status === "erro") throw parseError(reply);
    return parseReply(service, reply);
  }

  /** Asks for what must be refused. */
  async refusal(server: number, service: string, data: Fields): Promise<ProtocolError> {
    const reply = await this.tell(server, service, data);
    expect(reply.status, JSON.stringify(reply)).toBe("erro");
    return parseError(reply);
  }

  /** Asks, and returns all fields of the reply, which may be a refusal. */
  async tell(server: number, service: string, data: Fields): Promise<Fields> {
    const scene = this.#scene;
    const request = {
      id: randomHex(16),
      after: { ...scene.seen, slot: scene.slot },
      sinceSlot: scene.slot,
      clock: scene.clock,
      token: this.#token(),
      ...data,
    };
    let reply: Fields = {};
    const isFinal = async () => {
      reply = (await scene.subject.ask(server, { service, data: request })) ?? { retry: true };
      return reply.retry !== true;
    };
    await until(isFinal, `a final reply to ${service}`, patienceMs);
    scene.see(reply);
    const { token } = reply;
    if (typeof token === "string") this.#token = () => token;
    return reply;
  }

  /** @returns the receipt without the servers that have the event, because more get it later */
  async write(server: number, service: Service, data: Fields): Promise<Place> {
    const { entry } = (await this.ask(server, service, data)) as unknown as { entry: Receipt };
    const { durable, ...place } = entry;
    expect(durable.length).toBeGreaterThan(0);
    return place;
  }

  publish(server: number, channel: string, message: string) {
    return this.write(server, "publish", { user: this.user, channel, message });
  }

  history(server: number, data: Fields): Promise<HistoryPage> {
    return this.ask(server, "history", data);
  }

  /** Reads a whole conversation forwards, from a position on. */
  async after(since: Vector, data: Fields): Promise<{ entries: Entry[]; complete: boolean }> {
    const entries: Entry[] = [];
    let page = await this.history(1, { ...data, since });
    const { complete = false } = page;
    for (let pages = 1; ; pages += 1) {
      entries.push(...page.entries);
      if (page.next === undefined) return { entries, complete };
      page = await this.history(serverOf(pages), { ...data, since: page.seen });
    }
  }
}

/** Each server in turn. */
export function serverOf(number: number): number {
  return servers[number % servers.length] as number;
}

export function textsOf(entries: readonly Entry[]): string[] {
  return entries.map(({ message }) => message);
}

import { type Random, seededRandom } from "../../src/platform/random.ts";
import type { ChannelName, HookId, HookName, RequestId, UserName } from "../../src/protocol/ids.ts";
import type { ChatData } from "../../src/server/core/chat/chat-facts.ts";
import type { NewEvent } from "../../src/server/engine/engine.ts";

/** Names that look alike, and names whose order by UTF-8 is another one than by UTF-16. */
export const userNames = ["ana", "Ana", "аna", "bob", "ﬀoo", "𝒜na", "𝒜nb", "zé"] as UserName[];
export const channelNames = ["general", "GENERAL", "ops", "𝒜ll", "ﬁn", "zz"] as ChannelName[];
export const hookIds = Array.from({ length: 6 }, (_, n) => `${n}`.repeat(32) as HookId);

/** Makes an event of which only the kind, the data and perhaps the id matter. */
export function eventOf<Kind extends keyof ChatData>(
  kind: Kind,
  data: ChatData[Kind],
  id?: string,
): NewEvent {
  return { kind, data, id: id as RequestId | undefined, clock: 0, timeMs: 0 } as NewEvent;
}

/** Draws events of a chat with few names, so that most of them have to do with others. */
export class DrawnEvents {
  readonly random: Random;
  readonly #seed: number;
  #made = 0;
  readonly #events: NewEvent[] = [];

  constructor(seed: number) {
    this.#seed = seed;
    this.random = seededRandom(seed);
  }

  /** Draws the next event; sometimes one that was drawn before, as a retry makes it. */
  next(): NewEvent {
    const event = this.random() < 0.1 ? this.pick(this.#events) : undefined;
    if (event !== undefined) return event;
    const drawn = this.#draw();
    this.#events.push(drawn);
    return drawn;
  }

  pick<T>(list: readonly T[]): T | undefined {
    return list[Math.floor(this.random() * list.length)];
  }

  user(): UserName {
    return this.pick(userNames) as UserName;
  }

  channel(): ChannelName {
    return this.pick(channelNames) as ChannelName;
  }

  hook(): HookId {
    return this.pick(hookIds) as HookId;
  }

  #draw(): NewEvent {
    this.#made += 1;
    const id = this.random() < 0.2 ? undefined : `\u0000${this.#seed}/${this.#made}`;
    const clock = Math.floor(this.random() * 500);
    return { ...this.#fact(id), clock, timeMs: 1_000 + this.#made } as NewEvent;
  }

  #fact(id: string | undefined): NewEvent {
    const by = this.user();
    const channel = this.channel();
    const message = `\u0000\u001a0 text ${this.#made}`;
    const drawn = this.random();
    if (drawn < 0.1) {
      const isProven = this.random() < 0.7 ? true : undefined;
      return eventOf("login", { user: by, isProven }, id);
    }
    if (drawn < 0.15) return eventOf("channel", { channel, user: by }, id);
    if (drawn < 0.2) {
      return eventOf("removal", { channel, by, isRemoved: this.random() < 0.5 }, id);
    }
    if (drawn < 0.22) {
      const name = "build" as HookName;
      return eventOf("hook", { hook: this.hook(), channel, name, by, isProven: true }, id);
    }
    if (drawn < 0.24) return eventOf("unhook", { hook: this.hook(), by }, id);
    if (drawn < 0.6) return eventOf("message", { src: by, dst: this.user(), message }, id);
    const hook = this.random() < 0.2 ? { hook: "build" as HookName } : {};
    return eventOf("publication", { user: by, channel, message, ...hook }, id);
  }
}

import { isServerName, type ServerName } from "../../../protocol/ids.ts";
import type { RedisConnections } from "./connections.ts";

/** The pause between two beats of a server, in milliseconds. */
const beatMs = 100;
/** After so many own beats without one of another server, that server counts as lost. */
const silentBeats = 4;
const farewell = " ends";

interface Parts {
  readonly connections: RedisConnections;
  readonly channel: string;
  readonly name: ServerName;
  /** Called when another server has fallen silent and this one is to look for what it left. */
  onLost(): void;
}

/**
 * Tells the other servers that this one lives, and notices when one of them falls silent. The silence
 * of others is counted in own beats, all heard on one connection. So a server that was held up itself
 * does not take the others for lost.
 */
export class Beats {
  readonly #parts: Parts;
  /** Each other server that was heard, and how many own beats were heard since. */
  readonly #others = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  start(): void {
    this.#timer = setInterval(() => this.#tell(this.#parts.name), beatMs);
  }

  /** Says farewell, so that nobody looks in vain for what this server left. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#tell(this.#parts.name + farewell);
  }

  /** Whoever was heard before may have ended while nothing could be heard. */
  forget(): void {
    this.#others.clear();
  }

  hear(text: string): void {
    const { name } = this.#parts;
    if (text === name) this.#count();
    else if (text.endsWith(farewell)) this.#others.delete(text.slice(0, -farewell.length));
    else if (isServerName(text)) this.#others.set(text, 0);
  }

  #count(): void {
    const { name, onLost } = this.#parts;
    const silent: string[] = [];
    for (const [other, beats] of this.#others) {
      if (beats + 1 < silentBeats) this.#others.set(other, beats + 1);
      else silent.push(other);
    }
    for (const other of silent) this.#others.delete(other);
    // One server is enough; if it fails, the keeper finds the same a little later (K4).
    const isFirst = [...this.#others.keys()].every((other) => name < other);
    if (silent.length > 0 && isFirst) onLost();
  }

  async #tell(text: string): Promise<void> {
    const { connections, channel } = this.#parts;
    await connections.ask((redis) => redis.publish(channel, text));
  }
}

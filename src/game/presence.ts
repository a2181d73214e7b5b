import type { Membership } from "../net/membership.ts";
import type { ReferenceLink } from "../net/reference-link.ts";
import { processId } from "../platform/host.ts";
import { ownVersion } from "../platform/version.ts";
import { durations } from "../protocol/limits.ts";
import { type GameName, isGameName } from "../protocol/matches.ts";
import { parseList } from "../protocol/parse-list.ts";

interface PresenceParts {
  readonly name: GameName;
  readonly address: string;
  readonly link: ReferenceLink;
  readonly self: Membership["selfReport"];
  /** Called with the addresses of the other game servers. */
  onGames(games: ReadonlyMap<GameName, string>): void;
}

/** Tells the reference that this game server lives, and learns from its answers which others do. */
export class Presence implements Disposable {
  readonly #parts: PresenceParts;
  readonly #timer: NodeJS.Timeout;

  constructor(parts: PresenceParts) {
    this.#parts = parts;
    this.#timer = setInterval(() => void this.#beat(), durations.heartbeatMs);
    void this.#beat();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#parts.link.close();
  }

  async #beat(): Promise<void> {
    const { name, address, link, self, onGames } = this.#parts;
    const report = { user: name, role: "game", address, pid: processId, version: ownVersion() };
    try {
      await link.ask("heartbeat", { ...report, ...self });
      const { list } = await link.ask("list", {});
      const others = parseList(list).filter((one) => one.role === "game" && one.isKnown);
      const games = others.flatMap(({ name: other, address: at }): [GameName, string][] =>
        isGameName(other) && other !== name ? [[other, at]] : [],
      );
      onGames(new Map(games));
    } catch {
      // Without the reference, the game servers that are known stay known.
    }
  }
}

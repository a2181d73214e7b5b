import type { GameName, Term } from "../../protocol/matches.ts";
import type { Now } from "./effects.ts";
import type { MatchCopy } from "./match-copy.ts";
import type { Peers } from "./peers.ts";

interface Around {
  readonly self: GameName;
  readonly peers: Peers;
}

/**
 * Whether the other holder of a match is silent, or the only copy of a match of two servers can get
 * a second one.
 */
export function needsTerm({ term, state }: MatchCopy, { self, peers }: Around, now: Now): boolean {
  const { host, shadow } = term;
  if (host !== self) return shadow === self && peers.isSilent(host, now);
  if (shadow !== undefined) return peers.isSilent(shadow, now);
  const [one, two] = state.players;
  return one.game !== two.game && peers.pick([], state.match, now) !== undefined;
}

/**
 * Returns the next term with this server as the host; undefined if it must not ask for one. A shadow
 * may ask only if it has the log of the present term, or of the one before, on its disk. In each
 * term players are told only what all holders of that term have: with an older log, this server may
 * lack what they were told.
 */
export function nextTerm(copy: MatchCopy, { self, peers }: Around, now: Now): Term | undefined {
  const { match, term, state, termOfLog, durable, length } = copy;
  const hasLog = term.host === self || (termOfLog >= term.term - 1 && durable === length);
  if (!hasLog) return undefined;
  const [one, two] = state.players;
  const preferred = [term.host, term.shadow, one.game, two.game].filter(
    (game) => game !== undefined,
  );
  const isLocal = one.game === two.game;
  const shadow = isLocal ? undefined : peers.pick(preferred, match, now);
  return { term: term.term + 1, host: self, shadow };
}

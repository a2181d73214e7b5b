import { gameDurations } from "../../protocol/game-limits.ts";
import type { UserName } from "../../protocol/ids.ts";
import type { GameName, MatchId, OpenMatch, Players } from "../../protocol/matches.ts";
import type { Decided, Effect, GameMessage, Now } from "./effects.ts";
import type { Holdings } from "./holdings.ts";
import { isLogOf } from "./lawful.ts";
import { type Disk, MatchCopy } from "./match-copy.ts";
import { type Signer, signed } from "./match-event.ts";
import type { Matchmaking, Pair } from "./matchmaking.ts";

/** What only the shell can make: ids and seeds that nobody can guess. */
export interface Chance {
  matchId(): MatchId;
  /** 32 hex digits. */
  seed(): string;
  /** Returns the SHA-256 of a seed, in hex. */
  hashOf(seed: string): string;
}

/** A match that this server wants to begin. */
interface Beginning {
  readonly open: OpenMatch;
  readonly copy: MatchCopy;
  readonly untilMs: number;
  isStored: boolean;
  isAccepted: boolean;
  isAsked: boolean;
}

/** A match that another server wants to begin with a player of this server. */
interface Invited {
  readonly copy: MatchCopy;
  readonly user: UserName;
  readonly from: GameName;
  isStored: boolean;
}

interface Parts {
  readonly self: GameName;
  readonly signer: Signer;
  readonly chance: Chance;
  readonly disk: Disk;
  readonly matchmaking: Matchmaking;
  readonly holdings: Holdings;
  emit(effect: Effect): void;
  /** How things stand for a player has changed. */
  onChange(user: UserName): void;
}

/**
 * Begins matches. The first event is on the disks of both servers before the cluster decides that
 * the match begins; so a match that has begun always has a log.
 */
export class Invitations {
  readonly #parts: Parts;
  readonly #beginning = new Map<MatchId, Beginning>();
  readonly #invited = new Map<MatchId, Invited>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  tick(now: Now): void {
    for (const [match, one] of this.#beginning) {
      if (!one.isAsked && one.untilMs <= now.steadyMs) this.#giveUp(match, one);
    }
    for (const { user } of this.#parts.matchmaking.overdue(now)) {
      this.#parts.emit({ type: "locate", user });
    }
    this.pairUp(now);
  }

  /** Begins a match for each two players that fit. */
  pairUp(now: Now): void {
    for (;;) {
      const pair = this.#parts.matchmaking.pair(now);
      if (pair === undefined) return;
      this.#begin(pair, now);
    }
  }

  hear(
    from: GameName,
    message: GameMessage & { readonly type: "invite" | "accepted" | "declined" },
    now: Now,
  ): void {
    const { match } = message;
    const beginning = this.#beginning.get(match);
    if (message.type === "invite") return this.#invite(from, message, now);
    const isMine = beginning?.open.shadow === from;
    if (message.type === "declined") {
      const invited = this.#invited.get(match);
      if (invited?.from === from) this.#release(match, invited);
      else if (isMine && !beginning.isAsked) this.#giveUp(match, beginning);
      return;
    }
    if (!isMine) return;
    beginning.isAccepted = true;
    this.#ask(beginning);
  }

  decided({ match }: OpenMatch, decided: Decided, now: Now): void {
    const beginning = this.#beginning.get(match);
    if (beginning === undefined) return;
    this.#beginning.delete(match);
    const { open, copy } = beginning;
    if ("refused" in decided) {
      this.#decline(open);
      this.#drop(copy, open.players);
      // One of the two sits in another match; which one, the cluster knows.
      for (const { user } of open.players) {
        if (this.#parts.matchmaking.find(user)) this.#parts.emit({ type: "locate", user });
      }
      return;
    }
    this.#opened(open, copy, now);
  }

  /** Takes what the cluster knows about a player: whether an invitation of theirs became a match. */
  located(user: UserName, open: OpenMatch | undefined, now: Now): void {
    const { matchmaking } = this.#parts;
    const found = [...this.#invited].find(([, invited]) => invited.user === user);
    if (found !== undefined) {
      const [match, invited] = found;
      if (open?.match === match) return this.#opened(open, invited.copy, now);
      this.#release(match, invited);
    }
    if (open === undefined || matchmaking.find(user) === undefined) return;
    matchmaking.remove(user);
    this.#parts.onChange(user);
  }

  /**
   * Finds players who wait here, and have got a match of another server meanwhile: they have waited
   * there too, because an answer of that server was lost.
   * @param askedMs steady time at which the cluster was asked
   */
  listed(matches: readonly OpenMatch[], askedMs: number, now: Now): void {
    for (const open of matches) {
      for (const { user } of open.players) {
        const queued = this.#parts.matchmaking.find(user);
        // A player who came later may have left the match before.
        if (queued !== undefined && queued.sinceMs < askedMs) this.located(user, open, now);
      }
    }
  }

  #begin({ rules, players }: Pair, now: Now): void {
    const { self, signer, chance, matchmaking, emit } = this.#parts;
    const match = chance.matchId();
    const seed = chance.seed();
    const data = { rules, players, seed, seedHash: chance.hashOf(seed) };
    const first = signed(
      {
        type: "MATCH_FOUND",
        data,
        eventSeq: 0,
        matchId: match,
        term: 1,
        timestamp: now.wallMs,
        clock: {},
      },
      "",
      signer,
    );
    const [own, other] = players;
    const shadow = other.game === self ? undefined : other.game;
    const open: OpenMatch = { match, rules, players, term: 1, host: self, shadow };
    const copy = new MatchCopy(open, [first], this.#parts);
    const untilMs = now.steadyMs + gameDurations.silenceMs;
    const isAccepted = shadow === undefined;
    const one = { open, copy, untilMs, isStored: false, isAccepted, isAsked: false };
    this.#beginning.set(match, one);
    matchmaking.reserve(own.user, match, now);
    if (shadow === undefined) matchmaking.reserve(other.user, match, now);
    else matchmaking.doubt(other.user);
    copy.save(() => {
      one.isStored = true;
      this.#ask(one);
    });
    if (shadow !== undefined) {
      emit({ type: "send", to: shadow, message: { type: "invite", match, events: [first] } });
    }
  }

  #ask(beginning: Beginning): void {
    const { open, isStored, isAccepted, isAsked } = beginning;
    // The disk may have answered after this server has given the match up.
    const isGivenUp = this.#beginning.get(open.match) !== beginning;
    if (!isStored || !isAccepted || isAsked || isGivenUp) return;
    beginning.isAsked = true;
    this.#parts.emit({ type: "decide", question: { service: "matchBegin", ...open } });
  }

  #invite(
    from: GameName,
    { match, events }: GameMessage & { readonly type: "invite" },
    now: Now,
  ): void {
    const { self, signer, matchmaking, holdings } = this.#parts;
    if (holdings.get(match) !== undefined) return;
    const answer = (type: "accepted" | "declined") =>
      this.#parts.emit({ type: "send", to: from, message: { type, match } });
    const known = this.#invited.get(match);
    if (known !== undefined) {
      // A repeated invitation is answered once the first one is on disk.
      if (known.isStored) answer("accepted");
      return;
    }
    if (events.length !== 1 || !isLogOf(match, events, signer)) return answer("declined");
    const term = { term: 1, host: from, shadow: self };
    const copy = new MatchCopy(term, events, this.#parts);
    const own = copy.state.players.find(({ game }) => game === self);
    const isWaiting = own && matchmaking.find(own.user)?.rules === copy.state.rules;
    if (isWaiting) this.#yieldTo(from, own.user);
    if (!isWaiting || !matchmaking.reserve(own.user, match, now)) return answer("declined");
    const invited = { copy, user: own.user, from, isStored: false };
    this.#invited.set(match, invited);
    copy.save(() => {
      invited.isStored = true;
      if (this.#invited.get(match) === invited) answer("accepted");
    });
  }

  /**
   * Gives up this server's own invitation for a player whom a server with a lower name invites. If
   * servers that invite each other's players at once all declined, they might do so for ever.
   */
  #yieldTo(from: GameName, user: UserName): void {
    if (from > this.#parts.self) return;
    for (const [match, one] of this.#beginning) {
      if (one.open.players[0].user === user && !one.isAccepted) this.#giveUp(match, one);
    }
  }

  /** The match has begun: its players wait no longer. */
  #opened(open: OpenMatch, copy: MatchCopy, now: Now): void {
    const { self, matchmaking, holdings } = this.#parts;
    this.#invited.delete(open.match);
    for (const { user } of open.players) matchmaking.remove(user);
    if (open.host === self || open.shadow === self) holdings.open(open, copy, now);
    for (const { user } of open.players) this.#parts.onChange(user);
  }

  /** Whether this server has accepted the invitation to a match, and does not know what came of it. */
  has(match: MatchId): boolean {
    return this.#invited.has(match);
  }

  /** A match is here. If this server has accepted its invitation, the players wait no longer. */
  adopted(match: MatchId, players: Players): void {
    // A late copy of another match's log says nothing about waiting players.
    if (!this.#invited.delete(match)) return;
    for (const { user } of players) {
      this.#parts.matchmaking.remove(user);
      this.#parts.onChange(user);
    }
  }

  #giveUp(match: MatchId, { open, copy }: Beginning): void {
    this.#beginning.delete(match);
    this.#decline(open);
    this.#drop(copy, open.players);
  }

  #decline({ match, shadow }: OpenMatch): void {
    if (shadow === undefined) return;
    this.#parts.emit({ type: "send", to: shadow, message: { type: "declined", match } });
  }

  #release(match: MatchId, { copy }: Invited): void {
    this.#invited.delete(match);
    this.#drop(copy, copy.state.players);
  }

  #drop({ match }: MatchCopy, players: Players): void {
    this.#parts.disk.store({ type: "forget", match }, () => {});
    for (const { user } of players) this.#parts.matchmaking.release(user, match);
  }
}

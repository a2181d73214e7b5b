import { compareEpochs, type Epoch } from "../../../protocol/epoch.ts";
import type { RequestId, ServerName, UserName } from "../../../protocol/ids.ts";
import { durations, limits } from "../../../protocol/limits.ts";
import { looksOf } from "../../../protocol/looks.ts";
import type {
  ClaimOutcome,
  CoordinationAnswer,
  ProposedClaim,
} from "../../../protocol/peer-messages.ts";
import type { ClaimPlace } from "../../../protocol/replies.ts";
import type { ClockSync } from "../coordinator/clock-sync.ts";
import type { Election } from "../coordinator/election.ts";
import type { Now } from "../effects.ts";
import type { LedgerOf } from "../replica/ledger.ts";
import { idOf } from "../replica/placed.ts";
import type { Replica } from "../replica/replica.ts";
import type { Auth } from "./access.ts";
import type { AccountData } from "./account-facts.ts";
import type { Accounts, Claim } from "./accounts.ts";
import type { Passwords } from "./passwords.ts";

/** A claim that waits for its outcome, which this server or the coordinator decides. */
export interface OpenClaim {
  readonly user: UserName;
  readonly id: RequestId;
  credential?: string | undefined;
  readonly deadlineMs: number;
  /**
   * Whether another server forwarded the claim. This server decides a forwarded claim only while it
   * is coordinator.
   */
  readonly isForwarded: boolean;
  /**
   * Called once, before the claim is proposed or forwarded. Returns false if the client has been
   * answered; the claim is then dropped.
   */
  mayBeMade?: ((now: Now) => boolean) | undefined;
  settle(end: ClaimEnd): void;
}

export interface ClaimEnd {
  readonly outcome: ClaimOutcome;
  readonly now: Now;
  /** The event that holds the name, if the claim was won and the event is known. */
  readonly event?: ClaimPlace | undefined;
  /**
   * If the claim was won: the credential in the event, perhaps from another copy of the request.
   */
  readonly credential?: string | undefined;
  /** The credential of this copy of the request; undefined if its password was not hashed. */
  readonly own?: string | undefined;
}

/** The data of a `register` event, without its epoch. */
type NewClaim = ProposedClaim & Pick<Claim, "looks" | "isOpen">;

interface Waiting extends OpenClaim {
  deadlineMs: number;
  /** Cancels the hashing of the claim's password if it has not begun. */
  forget(): void;
  /**
   * The last time the claim was forwarded: to whom, when, and whether the answer is outstanding.
   */
  forwarded?: { readonly to: ServerName; readonly atMs: number; isOpen: boolean } | undefined;
}

interface ForwardedClaim {
  readonly from: ServerName;
  readonly claim: ProposedClaim;
  readonly answer: CoordinationAnswer | undefined;
}

interface ClaimsParts {
  readonly replica: Replica;
  readonly accounts: Accounts;
  readonly election: Election;
  readonly clockSync: ClockSync;
  readonly passwords: Passwords;
  readonly auth: Auth;
}

/**
 * Decides claims of names; a name has at most one owner (E3). A server that is not coordinator
 * hashes the password and forwards the claim. The coordinator proposes the claim, and reports
 * success once a quorum of the view in the claim's epoch has accepted the claim. Any server that
 * knows another owner of the name answers `taken`.
 */
export class Claims {
  readonly #parts: ClaimsParts;
  readonly #ledger: LedgerOf<AccountData>;
  readonly #open = new Set<Waiting>();
  /** The number of decided claims by outcome, those of this server's clients and forwarded ones. */
  readonly outcomes: Record<ClaimOutcome, number> = { won: 0, taken: 0, alike: 0, busy: 0 };
  /**
   * The `seq` of each claim that this server proposed in its present term and has not yet
   * confirmed, in rising order.
   */
  readonly #unconfirmed: number[] = [];
  #ownEpoch: Epoch | undefined;
  /** The values on which outcomes depend, as of the last check of all claims. */
  #seen = { version: -1, committed: 0, atMs: 0 };
  /** The claims that were added, or whose password was hashed, after the last step. */
  readonly #changed = new Set<Waiting>();

  constructor(parts: ClaimsParts) {
    this.#parts = parts;
    this.#ledger = parts.replica.ledger;
  }

  get open(): number {
    return this.#open.size;
  }

  get isAnyOpen(): boolean {
    return this.#open.size > 0 || this.#unconfirmed.length > 0;
  }

  /** Whether so many claims or passwords wait that a new claim would not be decided in time. */
  get isFull(): boolean {
    return this.#open.size >= limits.openClaims || this.#parts.passwords.isFull;
  }

  /** @param claim either with its credential, or with a password to be hashed */
  add({ password, ...claim }: OpenClaim & { readonly password?: string }): void {
    const waiting: Waiting = { ...claim, forget: () => {} };
    this.#open.add(waiting);
    this.#changed.add(waiting);
    if (password === undefined) return;
    waiting.forget = this.#parts.passwords.add({ hash: password }, (result) => {
      waiting.credential = result?.credential;
      // A claim whose password can't be hashed ends as `busy`.
      if (result === undefined) waiting.deadlineMs = 0;
      // The claim may have been settled while its password was hashed.
      if (this.#open.has(waiting)) this.#changed.add(waiting);
    });
  }

  /**
   * Handles the coordinator's answer to a forwarded claim. If no answer came in time, the claim can
   * be forwarded again.
   */
  onForwarded({ from, claim, answer }: ForwardedClaim, now: Now): void {
    const { outcome, seq, credential } = answer?.service === "forward" ? answer : noOutcome;
    const event = seq === undefined ? undefined : { server: from, seq };
    for (const waiting of this.#open) {
      if (waiting.id !== claim.id || waiting.user !== claim.user) continue;
      if (waiting.forwarded?.to === from) waiting.forwarded.isOpen = false;
      if (outcome !== undefined && outcome !== "busy") {
        this.#settle(waiting, { outcome, now, event, credential });
      }
    }
  }

  /** Settles, proposes or forwards each claim as far as is possible now. Called in every step. */
  advance(now: Now): void {
    const { accounts, election } = this.#parts;
    const { ownEpoch, committed } = election;
    if (ownEpoch !== this.#ownEpoch) {
      this.#ownEpoch = ownEpoch;
      this.#unconfirmed.length = 0;
      this.#seen.version = -1;
      if (ownEpoch !== undefined) this.#takeOver(ownEpoch, now);
    }
    this.#confirm(now);
    if (this.#open.size === 0) return;
    const { version } = accounts;
    const isSame = version === this.#seen.version && committed === this.#seen.committed;
    const pauseMs = isSame ? durations.tickMs : durations.claimsMs;
    if (now.steadyMs - this.#seen.atMs >= pauseMs) {
      this.#seen = { version, committed, atMs: now.steadyMs };
      for (const claim of this.#open) this.#decide(claim, now);
    } else {
      for (const claim of this.#changed) this.#decide(claim, now);
    }
    this.#changed.clear();
  }

  /**
   * Proposes again all claims that lower epochs left unconfirmed. An earlier coordinator may have
   * reported success to a client before the `confirmed` event was on any disk, and that client does
   * not ask again.
   */
  #takeOver(ownEpoch: Epoch, now: Now): void {
    const left = [...this.#parts.accounts.unowned()];
    for (const claim of left) {
      if (compareEpochs(claim.epoch, ownEpoch) < 0) this.#append(newClaimOf(claim), now);
    }
  }

  /** Makes a `confirmed` event for each proposed claim that a quorum has accepted. */
  #confirm(now: Now): void {
    const { election } = this.#parts;
    for (let [seq] = this.#unconfirmed; seq !== undefined; [seq] = this.#unconfirmed) {
      if (seq > election.committed) return;
      this.#unconfirmed.shift();
      const data = { server: this.#parts.replica.name, seq };
      this.#ledger.make("confirmed", data, this.#parts.clockSync.correctedMs(now));
    }
  }

  #decide(claim: Waiting, now: Now): void {
    const { accounts, election } = this.#parts;
    const owner = accounts.owner(claim.user);
    if (owner !== undefined && idOf(owner) !== claim.id) {
      return this.#settle(claim, { outcome: "taken", now });
    }
    if (now.steadyMs >= claim.deadlineMs) return this.#settle(claim, { outcome: "busy", now });
    if (claim.credential === undefined) return;
    const { mayBeMade } = claim;
    claim.mayBeMade = undefined;
    if (mayBeMade?.(now) === false) {
      this.#open.delete(claim);
      return;
    }
    if (election.ownEpoch !== undefined) {
      const { user, id, credential } = claim;
      const outcome = this.#propose({ user, id, credential }, now);
      if (outcome === "busy") return;
      if (outcome !== "won") return this.#settle(claim, { outcome, now });
      const event = accounts.holder(user);
      return this.#settle(claim, { outcome, now, event, credential: event?.credential });
    }
    if (claim.isForwarded) return this.#settle(claim, { outcome: "busy", now });
    return this.#forward(claim, now);
  }

  /**
   * Decides a claim as coordinator. If no claim holds the name or a name with the same looks,
   * proposes the claim. Otherwise the holding claim decides the outcome, once a quorum has accepted
   * that claim. Returns `busy` while the outcome is open.
   */
  #propose(asked: ProposedClaim, now: Now): ClaimOutcome {
    const { accounts, election, replica, auth } = this.#parts;
    const epoch = election.ownEpoch as Epoch;
    const holder = accounts.holder(asked.user) ?? accounts.holderLike(asked.user);
    if (holder === undefined) {
      const isOpen = auth === "open" ? true : undefined;
      this.#append({ ...asked, looks: looksOf(asked.user), isOpen }, now);
      return "busy";
    }
    const isLike = holder.user !== asked.user;
    if (isLike && accounts.isConfirmed(holder)) return "alike";
    if (compareEpochs(holder.epoch, epoch) === 0) {
      const isOwn = holder.server === replica.name;
      if (!isOwn || holder.seq > election.committed) return "busy";
      if (isLike) return "alike";
      return idOf(holder) === asked.id ? "won" : "taken";
    }
    // A claim of a lower epoch must be accepted again in this epoch. Until then, a server that
    // could not be reached may have a newer claim that counts.
    this.#append(newClaimOf(holder), now);
    return "busy";
  }

  #append(claim: NewClaim, now: Now): void {
    const { election } = this.#parts;
    const epoch = election.ownEpoch as Epoch;
    const data = { ...claim, epoch };
    const { seq } = this.#ledger.make("register", data, this.#parts.clockSync.correctedMs(now));
    this.#unconfirmed.push(seq);
    election.want(seq);
  }

  #forward(claim: Waiting, now: Now): void {
    const { election, replica } = this.#parts;
    const coordinator = election.current(now);
    if (coordinator === undefined) return;
    const { forwarded } = claim;
    const isSame = forwarded?.to === coordinator.name;
    const isSoon = isSame && now.steadyMs - forwarded.atMs < durations.askAgainMs;
    if (isSame && (forwarded.isOpen || isSoon)) return;
    const { address } = replica.replication.peer(coordinator.name);
    if (address === "") return;
    claim.forwarded = { to: coordinator.name, atMs: now.steadyMs, isOpen: true };
    const { user, id, credential = "" } = claim;
    const request = {
      service: "forward",
      ...replica.summary(),
      claim: { user, id, credential },
    } as const;
    const patienceMs = durations.peerRequestMs;
    replica.effects.add({ type: "askPeer", peer: coordinator.name, address, request, patienceMs });
  }

  #settle(claim: Waiting, end: ClaimEnd): void {
    if (!this.#open.delete(claim)) return;
    this.outcomes[end.outcome] += 1;
    claim.forget();
    claim.settle({ ...end, own: claim.credential });
  }
}

const noOutcome = { outcome: undefined, seq: undefined, credential: undefined };

function newClaimOf(claim: Claim): NewClaim {
  const { user, credential, looks, isOpen } = claim;
  return { user, id: idOf(claim) as RequestId, credential, looks, isOpen };
}

import { compareEpochs, type Epoch } from "../../../protocol/epoch.ts";
import type { RequestId, ServerName, UserName } from "../../../protocol/ids.ts";
import { durations, limits } from "../../../protocol/limits.ts";
import { looksOf } from "../../../protocol/looks.ts";
import type {
  ClaimOutcome,
  CoordinationAnswer,
  ProposedClaim,
  ReplicaSummary,
} from "../../../protocol/peer-messages.ts";
import type { Election } from "../coordinator/election.ts";
import type { Effects, Now } from "../effects.ts";
import type { LedgerOf } from "../replica/ledger.ts";
import { idOf } from "../replica/placed.ts";
import type { Replication } from "../replica/replication.ts";
import type { Auth } from "./access.ts";
import type { AccountData } from "./account-facts.ts";
import type { Accounts, Claim, EventName } from "./accounts.ts";
import type { Passwords } from "./passwords.ts";

/** A claim that waits for its outcome, here or at the coordinator. */
export interface OpenClaim {
  readonly user: UserName;
  readonly id: RequestId;
  credential?: string | undefined;
  readonly deadlineMs: number;
  /** It came from another server: only a coordinator has anything to say to it. */
  readonly isForwarded: boolean;
  /** Asked once, before anybody else hears of it. If it may not be made after all, that is told. */
  mayBeMade?: ((now: Now) => boolean) | undefined;
  settle(end: ClaimEnd): void;
}

export interface ClaimEnd {
  readonly outcome: ClaimOutcome;
  readonly now: Now;
  /** For a claim that was won: the event that holds the name, if it is known. */
  readonly event?: EventName | undefined;
  /** For a claim that was won: the credential of the copy that was proposed first. */
  readonly credential?: string | undefined;
  /** The credential of this very copy, once there is one. */
  readonly own?: string | undefined;
}

/** What a `register` event holds, without its epoch. */
type Proposal = ProposedClaim & Pick<Claim, "looks" | "isOpen">;

interface Waiting extends OpenClaim {
  deadlineMs: number;
  /** Takes its password back from being hashed. */
  forget(): void;
  /** Which coordinator was asked last, and when. */
  forwarded?: { readonly to: ServerName; readonly atMs: number; isOpen: boolean } | undefined;
}

interface ForwardedClaim {
  readonly from: ServerName;
  readonly claim: ProposedClaim;
  readonly answer: CoordinationAnswer | undefined;
}

export interface ClaimsParts {
  readonly name: ServerName;
  readonly accounts: Accounts;
  readonly ledger: LedgerOf<AccountData>;
  readonly replication: Replication;
  readonly election: Election;
  readonly passwords: Passwords;
  readonly auth: Auth;
  readonly effects: Effects;
  summary(): ReplicaSummary;
  correctedMs(now: Now): number;
}

/**
 * What may belong to one owner only (E3). A server that is not in office hashes the password and
 * forwards the claim; the coordinator proposes it, and tells of its success once a quorum of its
 * epoch's view has accepted it. That a name is taken is told by whoever knows it for good.
 */
export class Claims {
  readonly #parts: ClaimsParts;
  readonly #open = new Set<Waiting>();
  /**
   * Own proposals of the present office whose confirmation is still to be written, by rising `seq`.
   */
  readonly #unconfirmed: number[] = [];
  #ownEpoch: Epoch | undefined;
  /** What the outcome of a claim may depend on, as of the last look at all of them. */
  #seen = { version: -1, committed: 0, atMs: 0 };
  /** Those that something happened to since. */
  readonly #changed = new Set<Waiting>();

  constructor(parts: ClaimsParts) {
    this.#parts = parts;
  }

  /** Whether one more can be decided in time. */
  get isFull(): boolean {
    return this.#open.size >= limits.openClaims || this.#parts.passwords.isFull;
  }

  /** @param claim with its credential, or with the password that it is to be made of */
  add({ password, ...claim }: OpenClaim & { readonly password?: string }): void {
    const waiting: Waiting = { ...claim, forget: () => {} };
    this.#open.add(waiting);
    this.#changed.add(waiting);
    if (password === undefined) return;
    waiting.forget = this.#parts.passwords.add({ hash: password }, (result) => {
      waiting.credential = result?.credential;
      // What can't be hashed has no time left.
      if (result === undefined) waiting.deadlineMs = 0;
      // It may have been settled meanwhile.
      if (this.#open.has(waiting)) this.#changed.add(waiting);
    });
  }

  /** The coordinator has answered, or has not. */
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

  /** Decides what can be decided, after every step. */
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
   * What older offices left open is proposed anew, asked for or not: its client may have been told
   * of its success before the confirmation was on any disk, and need not ask again.
   */
  #takeOver(ownEpoch: Epoch, now: Now): void {
    const left = [...this.#parts.accounts.unowned()];
    for (const claim of left) {
      if (compareEpochs(claim.epoch, ownEpoch) < 0) this.#append(proposalOf(claim), now);
    }
  }

  /** What a quorum has accepted is written down for all. */
  #confirm(now: Now): void {
    const { ledger, election, name, correctedMs } = this.#parts;
    for (let [seq] = this.#unconfirmed; seq !== undefined; [seq] = this.#unconfirmed) {
      if (seq > election.committed) return;
      this.#unconfirmed.shift();
      ledger.make("confirmed", { server: name, seq }, correctedMs(now));
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
   * As coordinator: the claim that holds the name, or one that looks the same, decides, once it is
   * decided.
   */
  #propose(asked: ProposedClaim, now: Now): ClaimOutcome {
    const { accounts, election, name, auth } = this.#parts;
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
      const isOwn = holder.server === name;
      if (!isOwn || holder.seq > election.committed) return "busy";
      if (isLike) return "alike";
      return idOf(holder) === asked.id ? "won" : "taken";
    }
    // What an older office left holds for good once this one has it accepted: until then another,
    // newer one may come to count, of a server that was away.
    this.#append(proposalOf(holder), now);
    return "busy";
  }

  #append(claim: Proposal, now: Now): void {
    const { ledger, election, correctedMs } = this.#parts;
    const epoch = election.ownEpoch as Epoch;
    const { seq } = ledger.make("register", { ...claim, epoch }, correctedMs(now));
    this.#unconfirmed.push(seq);
    election.want(seq);
  }

  #forward(claim: Waiting, now: Now): void {
    const { election, replication, effects, summary } = this.#parts;
    const coordinator = election.current(now);
    if (coordinator === undefined) return;
    const { forwarded } = claim;
    const isSame = forwarded?.to === coordinator.name;
    const isSoon = isSame && now.steadyMs - forwarded.atMs < durations.askAgainMs;
    if (isSame && (forwarded.isOpen || isSoon)) return;
    const { address } = replication.peer(coordinator.name);
    if (address === "") return;
    claim.forwarded = { to: coordinator.name, atMs: now.steadyMs, isOpen: true };
    const { user, id, credential = "" } = claim;
    const request = { service: "forward", ...summary(), claim: { user, id, credential } } as const;
    const patienceMs = durations.peerRequestMs;
    effects.add({ type: "askPeer", peer: coordinator.name, address, request, patienceMs });
  }

  #settle(claim: Waiting, end: ClaimEnd): void {
    if (!this.#open.delete(claim)) return;
    claim.forget();
    claim.settle({ ...end, own: claim.credential });
  }
}

const noOutcome = { outcome: undefined, seq: undefined, credential: undefined };

/** What proposes a claim again: the same logical claim, with the same password. */
function proposalOf(claim: Claim): Proposal {
  const { user, credential, looks, isOpen } = claim;
  return { user, id: idOf(claim) as RequestId, credential, looks, isOpen };
}

import type { Grant, Request, Service } from "../../../protocol/client-messages.ts";
import { ProtocolError, type RefusalReason } from "../../../protocol/errors.ts";
import type { Chain, UserName } from "../../../protocol/ids.ts";
import { limits } from "../../../protocol/limits.ts";
import { oddityOf } from "../../../protocol/looks.ts";
import type { DayKey } from "../../../protocol/replies.ts";
import { dayOf } from "../../../protocol/sealed.ts";
import { readTopic } from "../../../protocol/topics.ts";
import { write } from "../chat/write-services.ts";
import type { Now } from "../effects.ts";
import type { EventData, Operation } from "../facts.ts";
import { idOf, type Placed } from "../replica/placed.ts";
import {
  type Circumstances,
  charge,
  type Decision,
  full,
  idReused,
  noChannel,
  receiptOf,
  refuse as refuseWith,
  type Services,
} from "../serving/decision.ts";
import { administers, locked } from "./access.ts";
import type { Credential, PasswordChange } from "./accounts.ts";

type Of<S extends Service> = Extract<Request, { service: S }>;
/** What becomes of a change: its answer is a receipt. */
type Written = Decision<"password" | "account" | "registration" | "removal">;

/** Where accounts are, a login is a name with its password (X2). */
export function login(services: Services, request: Of<"login">): Decision<"login"> {
  const { user, password = "" } = request;
  const { accounts } = services;
  const known = accounts.credential(user);
  if (known === undefined && accounts.holder(user) !== undefined) {
    return refuse("unavailable", `The account "${user}" is just being made.`);
  }
  return {
    next: "password",
    work: { check: { password, credential: known?.credential } },
    settle: ({ isRight, credential }, later) => {
      const present = accounts.credential(user);
      if (!isRight || present?.version !== known?.version) return wrong();
      if (accounts.has("locked", user)) return refuseWith(locked(user));
      if (isDoubtful(services, user)) return doubtful(user);
      const { since, version } = present as Credential;
      if (credential !== undefined) {
        // Hashed as is recommended by now; no session ends by it.
        maker(services, "password")({ user, credential, since, version, by: user }, later);
      }
      return write(services, request, { now: later, waited: true, grant: { user, version } });
    },
  };
}

/** Who knows the old password may have another; all his older sessions end. */
export function changePassword(services: Services, request: Of<"password">): Decision<"password"> {
  const { user, password, newPassword, id } = request;
  const { accounts } = services;
  const known = accounts.credential(user);
  const check = { password, credential: known?.credential };
  const asked = { id, by: user };
  const lock = () => (accounts.has("locked", user) ? refuseWith(locked(user)) : undefined);
  const done = () => accounts.passwords.asked(user, asked);
  if (done().length > 0) {
    return recall(done(), newPassword, {
      same: (change) => lock() ?? grantBy(services, { change, made: false }),
      // Only whoever has the present password is told that the id is in use.
      other: () => ({
        next: "password",
        work: { check },
        settle: ({ isRight }) => (isRight ? refuseWith(idReused()) : wrong()),
      }),
    });
  }
  return {
    next: "password",
    work: { check, hash: newPassword },
    settle: ({ isRight, credential }, now) => {
      if (!isRight) return wrong();
      const refusal = lock();
      if (refusal !== undefined) return refusal;
      if (isDoubtful(services, user)) return doubtful(user);
      // Another copy of the request may have been quicker.
      if (done().length > 0) return changePassword(services, request);
      if (accounts.credential(user)?.version !== known?.version) return wrong();
      const change = replacePassword(services, { user, ...asked, credential }, now);
      return grantBy(services, { change, made: true });
    },
  };
}

/**
 * Finds the change under the request's id that set this password: only a check of each one tells.
 */
function recall(
  [change, ...rest]: readonly PasswordChange[],
  password: string,
  then: { same(change: PasswordChange): Written; other(): Written },
): Written {
  if (change === undefined) return then.other();
  return {
    next: "password",
    work: { check: { password, credential: change.credential } },
    settle: ({ isRight }) => (isRight ? then.same(change) : recall(rest, password, then)),
  };
}

/** A change of one's own password begins a session. */
function grantBy(
  services: Services,
  { change, made }: { readonly change: PasswordChange; readonly made: boolean },
): Written {
  const { user, version } = change;
  return commit(services, { event: change, made }, { user, version });
}

/** An administrator changes somebody's account. */
export function changeAccount(services: Services, request: Of<"account">, now: Now): Written {
  const { user, change, id } = request;
  const { accounts } = services;
  if (accounts.owner(user) === undefined) {
    return refuse("user_not_found", `There is no account "${user}".`);
  }
  const asked = { id, by: request.session?.user as UserName };
  if ("newPassword" in change) return resetPassword(services, request, change.newPassword);
  const before = accounts.flagChanges({ user, ...change }, asked);
  const again = repeated(services, before, ({ isSet }) => isSet === change.isSet);
  if (again !== undefined) return again;
  const event = maker(services, "account")({ user, ...change, ...asked }, now);
  return commit(services, { event, made: true });
}

/**
 * The answer to a request whose id was used before: a receipt for the same content, else a refusal.
 */
function repeated<Change extends Placed>(
  services: Services,
  before: readonly Change[],
  isSame: (change: Change) => boolean,
): Written | undefined {
  const event = before.find(isSame);
  if (event !== undefined) return commit(services, { event, made: false });
  return before.length === 0 ? undefined : refuseWith(idReused());
}

function resetPassword(services: Services, request: Of<"account">, newPassword: string): Written {
  const { user, id, session } = request;
  const asked = { id, by: session?.user as UserName };
  const done = () => services.accounts.passwords.asked(user, asked);
  if (done().length > 0) {
    return recall(done(), newPassword, {
      same: (event) => commit(services, { event, made: false }),
      other: () => refuseWith(idReused()),
    });
  }
  return {
    next: "password",
    work: { hash: newPassword },
    // No session with it: that of the account is its owner's alone.
    settle: ({ credential }, now) => {
      if (done().length > 0) return resetPassword(services, request, newPassword);
      const event = replacePassword(services, { user, ...asked, credential }, now);
      return commit(services, { event, made: true });
    },
  };
}

export function changeRegistration(
  services: Services,
  { mode, invitation, id, session }: Of<"registration">,
  now: Now,
): Written {
  const asked = { id, by: session?.user as UserName };
  const hash = invitation === undefined ? undefined : hashOf(services, invitation);
  const before = services.accounts.registrations.asked("", asked);
  const again = repeated(services, before, (one) => one.mode === mode && one.hash === hash);
  if (again !== undefined) return again;
  const event = maker(services, "registration")({ mode, hash, ...asked }, now);
  return commit(services, { event, made: true });
}

/**
 * Messages of a channel that is taken away stay, but are not shown until it is given back (A10).
 */
export function changeChannel(
  services: Services,
  { channel, isRemoved, id, session }: Of<"removal">,
  now: Now,
): Written {
  const { channels, removals } = services.state;
  if (channels.get(channel)?.isKnown !== true) return { next: "refuse", error: noChannel(channel) };
  const asked = { id, by: session?.user as UserName };
  const before = removals.asked(channel, asked);
  const again = repeated(services, before, (one) => one.isRemoved === isRemoved);
  if (again !== undefined) return again;
  const event = maker(services, "removal")({ channel, isRemoved, ...asked }, now);
  return commit(services, { event, made: true });
}

/** Whether who asks may have the name for an account. */
export function mayRegister(
  services: Services,
  request: Of<"register">,
  now: Now,
): ProtocolError | undefined {
  const { user, invitation, id } = request;
  const { state, accounts, auth } = services;
  // A request that comes again (R6).
  const holder = accounts.holder(user);
  if (holder !== undefined && idOf(holder) === id) return undefined;
  const isNew = holder === undefined && !state.users.has(user);
  const oddity = isNew ? oddityOf(user, "user") : undefined;
  if (oddity !== undefined) return new ProtocolError("name_invalid", oddity);
  if (auth === "required" && administers(request, accounts, services.correctedMs(now))) {
    return undefined;
  }
  const { mode, hash } = auth === "required" ? accounts.registration : anybody;
  if (mode === "closed") {
    const description = "Registration is closed: ask an administrator.";
    return new ProtocolError("forbidden", description, { reason: "registration_closed" });
  }
  if (
    mode === "invitation" &&
    (invitation === undefined || hashOf(services, invitation) !== hash)
  ) {
    const description = "Registration wants the `invitation` of an administrator.";
    return new ProtocolError("forbidden", description, { reason: "invitation_wanted" });
  }
  // Whoever took it now would read what its user wrote and got, or be taken for that user.
  const like = state.userLike(user);
  const isHeld = holder !== undefined || accounts.holderLike(user) !== undefined;
  if (like === undefined || isHeld) return undefined;
  // Whoever registers is a guest: only `users`, which needs a session, may tell the other name.
  const what = state.users.has(user) ? `The name "${user}"` : `A name that looks like "${user}"`;
  const description = `${what} is in use, without an account: an administrator makes it.`;
  return new ProtocolError("forbidden", description, { reason: "name_in_use" });
}

/** In an open cluster nobody administers. */
const anybody = { mode: "open", hash: undefined } as const;

/**
 * Whether the account was claimed while the cluster was open, and somebody logged in by its name
 * without its password (A11). Only an administrator can tell whose the name is, and gives it a
 * new password.
 */
function isDoubtful({ accounts, state }: Services, name: UserName): boolean {
  if (accounts.owner(name)?.isOpen !== true || accounts.hasNewPassword(name)) return false;
  const logins = state.users.get(name)?.logins.entries.slice() ?? [];
  return logins.some(({ isProven }) => isProven !== true);
}

/** Not before the password was right: it tells of the account. */
function doubtful(user: UserName): Decision<never> {
  const description = `The name "${user}" was in use while the cluster was open: an administrator gives its account a password.`;
  return refuse("forbidden", description, "name_in_use");
}

/** Today's and yesterday's key of each topic that the asker may read (X5). */
export function keys(
  services: Services,
  request: Of<"keys">,
  { now, room }: Circumstances,
): Decision<"keys"> {
  const { state, accounts } = services;
  const user = request.session?.user as UserName;
  // Each is derived, which takes longer than to send it.
  if (!charge(room, limits.keyCostBytes * request.topics.length)) return full();
  const today = dayOf(services.correctedMs(now));
  const found: Record<string, DayKey[]> = {};
  for (const topic of request.topics) {
    const name = readTopic(topic);
    const isOwn = name?.user === user;
    if (!isOwn && (name?.channel === undefined || !state.knowsChannel(name.channel))) {
      return refuse("forbidden", "`topics` names one that is neither a channel nor your own.");
    }
    const version = isOwn ? (accounts.credential(user)?.version ?? "") : "";
    found[topic] = [today - 1, today].map((day) => {
      return { day, key: services.topicKey({ topic, day, version }) };
    });
  }
  return { next: "answer", answer: { keys: found, publisher: services.publisher } };
}

/** An invitation is long and random: a plain hash of it tells nothing. */
function hashOf({ digest }: Services, invitation: string): string {
  return digest.chain("" as Chain, invitation);
}

function replacePassword(
  services: Services,
  change: Pick<PasswordChange, "user" | "id" | "by"> & { readonly credential: string | undefined },
  now: Now,
): PasswordChange {
  const { user, id, by, credential = "" } = change;
  const known = services.accounts.credential(user)?.version ?? "";
  // A server's clock says no number twice, restarts or not (R7).
  const since = services.clock.tick();
  const own = `${services.name}/${since}`;
  // Twins of one request (R6) have one version, and so end no session that the other one began.
  const version = services.digest.chain(known as Chain, id === undefined ? own : `${by} ${id}`);
  const data = { user, by, credential, since, version };
  return { ...maker(services, "password")({ ...data, id }, now), ...data };
}

/** Makes events of one operation. */
function maker<O extends Operation>({ ledger, correctedMs }: Services, operation: O) {
  return (data: EventData[O] & { readonly id?: Placed["id"] | undefined }, now: Now): Placed => {
    const event = ledger.make(operation, data, correctedMs(now));
    return { ...event, time: event.timestamp, id: data.id };
  };
}

function commit(
  { replication }: Services,
  { event, made }: { readonly event: Placed; readonly made: boolean },
  grant?: Grant,
): Written {
  const answer = () => ({ entry: receiptOf(event, replication), grant });
  return { next: "commit", event, made, answer };
}

/** The same for a wrong password and for a name that nobody has. */
function wrong(): Decision<never> {
  return refuse("unauthenticated", "The name or the password is wrong.", "password_wrong");
}

function refuse(
  code: ProtocolError["code"],
  description: string,
  reason?: RefusalReason,
): Decision<never> {
  return { next: "refuse", error: new ProtocolError(code, description, { reason }) };
}

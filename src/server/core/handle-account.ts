import { ProtocolError, type RefusalReason } from "../../protocol/errors.ts";
import type { Chain, UserName } from "../../protocol/ids.ts";
import type { Request } from "../../protocol/messages.ts";
import { dayOf } from "../../protocol/sealed.ts";
import { readTopic } from "../../protocol/topics.ts";
import { locked } from "./access.ts";
import type { Credential } from "./accounts.ts";
import { type Decision, receiptOf, type Services } from "./decision.ts";
import type { Now } from "./effects.ts";
import type { EventData, Operation } from "./events.ts";
import { write } from "./handle-write.ts";
import type { Placed } from "./placed.ts";
import type { Answer } from "./requests.ts";

type Of<S extends Request["service"]> = Extract<Request, { service: S }>;

/** Where accounts are, a login is a name with its password (X2). */
export function login(services: Services, request: Of<"login">): Decision {
  const { user, password } = request;
  const { accounts } = services.state;
  if (password === undefined) {
    const description = "This cluster wants a `password` with the name.";
    return refuse("unauthenticated", description, "no_session");
  }
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
      if (accounts.has("locked", user)) return { next: "refuse", error: locked(user) };
      const { generation, version } = present as Credential;
      if (credential !== undefined) {
        // Hashed as is recommended by now; no session ends by it.
        make(services, "password", { user, credential, generation, version }, later);
      }
      return write(services, request, { now: later, waited: true, grant: { user, version } });
    },
  };
}

/** Who knows the old password may have another; all his older sessions end. */
export function changePassword(services: Services, request: Of<"password">): Decision {
  const { user, password, newPassword, id } = request;
  const { accounts } = services.state;
  const known = accounts.credential(user);
  const made = accounts.passwordOf(user);
  // A second copy of the request: by now the new one is the right one.
  const isAgain = id !== undefined && made?.id === id;
  const check = { password: isAgain ? newPassword : password, credential: known?.credential };
  return {
    next: "password",
    work: isAgain ? { check } : { check, hash: newPassword },
    settle: ({ isRight, credential }, now) => {
      const present = accounts.credential(user);
      if (!isRight || present === undefined || present.version !== known?.version) return wrong();
      if (accounts.has("locked", user)) return { next: "refuse", error: locked(user) };
      const { version } = present;
      if (isAgain && made !== undefined) {
        return commit(services, { event: made, made: false }, { grant: { user, version } });
      }
      const change = { user, id, credential: credential as string };
      const { event, version: next } = replacePassword(services, change, now);
      return commit(services, { event, made: true }, { grant: { user, version: next } });
    },
  };
}

/** An administrator changes somebody's account. */
export function changeAccount(services: Services, request: Of<"account">, now: Now): Decision {
  const { user, change, id } = request;
  if (services.state.accounts.owner(user) === undefined) {
    return refuse("user_not_found", `There is no account "${user}".`);
  }
  if (!("newPassword" in change)) {
    const event = make(services, "account", { user, ...change, id }, now);
    return commit(services, { event, made: true });
  }
  return {
    next: "password",
    work: { hash: change.newPassword },
    // No session with it: that of the account is its owner's alone.
    settle: ({ credential = "" }, later) => {
      const { event } = replacePassword(services, { user, id, credential }, later);
      return commit(services, { event, made: true });
    },
  };
}

export function changeRegistration(
  services: Services,
  { mode, invitation, id }: Of<"registration">,
  now: Now,
): Decision {
  const hash = invitation === undefined ? undefined : hashOf(services, invitation);
  const event = make(services, "registration", { mode, hash, id }, now);
  return commit(services, { event, made: true });
}

/** Whether who asks may register at all. */
export function mayRegister(
  services: Services,
  { invitation }: Of<"register">,
): ProtocolError | undefined {
  const { mode, hash } = services.state.accounts.registration;
  if (mode === "open") return undefined;
  if (mode === "closed") {
    const description = "Registration is closed: ask an administrator.";
    return new ProtocolError("forbidden", description, { reason: "registration_closed" });
  }
  if (invitation !== undefined && hashOf(services, invitation) === hash) return undefined;
  const description = "Registration wants the `invitation` of an administrator.";
  return new ProtocolError("forbidden", description, { reason: "invitation_wanted" });
}

/** Today's and yesterday's key of each topic that the asker may read (X5). */
export function keys(services: Services, request: Of<"keys">, now: Now): Decision {
  const { state } = services;
  const user = request.session?.user as UserName;
  const today = dayOf(services.correctedMs(now));
  const found: Record<string, { day: number; key: string }[]> = {};
  for (const topic of request.topics) {
    const name = readTopic(topic);
    const isOwn = name?.user === user;
    if (!isOwn && (name?.channel === undefined || !state.knowsChannel(name.channel))) {
      return refuse("forbidden", "`topics` names one that is neither a channel nor your own.");
    }
    const version = isOwn ? (state.accounts.credential(user)?.version ?? "") : "";
    found[topic] = [today - 1, today].map((day) => {
      return { day, key: services.topicKey({ topic, day, version }) };
    });
  }
  return { next: "answer", answer: { status: "OK", keys: found, publisher: services.publisher } };
}

/** An invitation is long and random: a plain hash of it tells nothing. */
function hashOf({ digest }: Services, invitation: string): string {
  return digest.chain("" as Chain, invitation);
}

function replacePassword(
  services: Services,
  { user, id, credential }: Pick<EventData["password"], "user" | "id" | "credential">,
  now: Now,
): { event: Placed; version: string } {
  const generation = (services.state.accounts.credential(user)?.generation ?? 0) + 1;
  // A server's clock says no number twice, restarts or not (R7).
  const version = `${services.name}/${services.clock.tick()}`;
  const event = make(services, "password", { user, id, credential, generation, version }, now);
  return { event, version };
}

function make<O extends Operation>(
  services: Services,
  operation: O,
  data: EventData[O] & { readonly id?: Placed["id"] },
  now: Now,
): Placed {
  const event = services.ledger.make(operation, data, services.correctedMs(now));
  return { ...event, time: event.timestamp, id: data.id };
}

function commit(
  { replication }: Services,
  { event, made }: { readonly event: Placed; readonly made: boolean },
  more: Answer = {},
): Decision {
  const answer = () => ({ status: "OK", entry: receiptOf(event, replication), ...more });
  return { next: "commit", event, made, answer };
}

/** The same for a wrong password and for a name that nobody has. */
function wrong(): Decision {
  return refuse("unauthenticated", "The name or the password is wrong.", "password_wrong");
}

function refuse(
  code: ProtocolError["code"],
  description: string,
  reason?: RefusalReason,
): Decision {
  return { next: "refuse", error: new ProtocolError(code, description, { reason }) };
}

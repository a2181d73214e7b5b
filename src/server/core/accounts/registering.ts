import type { RequestOf } from "../../../protocol/client-messages.ts";
import { ProtocolError } from "../../../protocol/errors.ts";
import type { RequestId } from "../../../protocol/ids.ts";
import { looksOf, oddityOf } from "../../../protocol/looks.ts";
import type { Decided, Operation } from "../../../protocol/operation.ts";
import type { Replies } from "../../../protocol/replies.ts";
import type { Now } from "../effects.ts";
import {
  type Circumstances,
  type Decision,
  refuse,
  type Services,
  waits,
} from "../serving/decision.ts";
import { administers } from "./access.ts";
import { operationOf, outcomeError, rightsOf, told } from "./account-decisions.ts";
import { mayRegister } from "./account-operations.ts";
import { hashOf } from "./administration.ts";

type Register = RequestOf<"register">;

/**
 * Decides a request to register a name. If this server would refuse the request, it first waits for
 * what the client has seen. Otherwise it hashes the password, and has the operation decided.
 */
export function register(
  services: Services,
  request: Register,
  at: Circumstances,
): Decision<Replies["register"]> {
  const first = earlier(services, request);
  if (first !== undefined) return again(request, first);
  const error = obstacle(services, request, at.now);
  const refused = (error: ProtocolError) => {
    const decision = waits(services, request, at) ?? refuse(error);
    return decision.next === "wait" ? { ...decision, error } : decision;
  };
  if (error !== undefined) return refused(error);
  const { user, password, sinceSlot } = request;
  // A request without an id gets an id from this server's clock, which never repeats a number (R7).
  const id = request.id ?? (`${services.name}/${services.clock.tick()}` as RequestId);
  const since = sinceSlot ?? services.log.applied;
  return {
    next: "password",
    work: { hash: password },
    settle: ({ credential = "" }, now) => {
      // While the password was hashed, another copy may have been decided, registration may have been
      // closed, or the asking administrator may have been locked.
      const copy = earlier(services, request);
      if (copy !== undefined) return again(request, copy);
      const late = obstacle(services, request, now);
      if (late !== undefined) return refused(late);
      const version = `${services.name}/${services.clock.tick()}`;
      const fields = { ...askedOf(services, request, now), credential, version };
      return {
        next: "decide",
        operation: operationOf(services, "register", { id, sinceSlot: since, by: user, fields }),
        settle: (decided) => {
          const known = decided.outcome === "expired" ? earlier(services, request) : undefined;
          if (known !== undefined) return again(request, known);
          const isOwn = decided.operation.credential === credential;
          return isOwn ? told(decided) : again(request, decided);
        },
      };
    },
  };
}

/**
 * Returns what came of an earlier registration with the request's id. Operations of other kinds do not
 * count: the sender may be a guest, who must learn nothing of what the name's owner did.
 */
function earlier({ accounts, log }: Services, { user, id }: Register): Decided | undefined {
  const known = log.find(user, id);
  if (known?.operation.kind === "register") return known;
  const owner = accounts.owner(user);
  if (owner === undefined || owner.id !== id) return undefined;
  // The account carries the id that made it, so this outcome is known for good (D9).
  const operation = { ...owner, kind: "register", by: user, since: 0 } as unknown as Operation;
  return { slot: log.applied, outcome: "done", operation };
}

/**
 * Decides the answer if another copy of the request was decided, or another request with the same id.
 * The name belongs to the sender only if the password matches the account's credential. The id proves
 * nothing, because many clients count their ids from 1.
 */
function again({ user, password }: Register, decided: Decided): Decision<Replies["register"]> {
  const { slot, outcome, operation } = decided;
  const taken = () => refuse(outcomeError("name_taken", { by: user } as Operation), slot);
  if (operation.kind !== "register") return taken();
  if (outcome !== "done") return told(decided);
  return {
    next: "password",
    work: { check: { password, credential: String(operation.credential) } },
    repeats: user,
    settle: ({ isRight }) => {
      return isRight ? told(decided) : taken();
    },
  };
}

/** Returns the error if this server would refuse the operation, or is sure that the log would. */
function obstacle(services: Services, request: Register, now: Now): ProtocolError | undefined {
  const { user } = request;
  const { chat, accounts } = services;
  const isNew = accounts.owner(user) === undefined && !chat.users.has(user);
  const oddity = isNew ? oddityOf(user, "user") : undefined;
  if (oddity !== undefined) return new ProtocolError("name_invalid", oddity);
  const outcome = mayRegister(accounts, askedOf(services, request, now));
  return outcome && outcomeError(outcome, { by: user } as Operation);
}

/** What the log looks at: it travels in the operation, because the log sees no chat (D5). */
function askedOf(
  services: Services,
  request: Register,
  now: Now,
): Parameters<typeof mayRegister>[1] {
  const { chat, accounts, auth } = services;
  const { user, invitation } = request;
  const isAdministrator =
    auth === "required" && administers(request, accounts, services.correctedMs(now));
  return {
    user,
    looks: looksOf(user),
    isOpen: auth === "open" ? true : undefined,
    invitation: invitation === undefined ? undefined : hashOf(services, invitation),
    // If a user without an account uses the name, or a name that looks the same, a new owner could
    // read that user's messages, or be mistaken for that user.
    isUsed: chat.userLike(user) === undefined ? undefined : true,
    rights: isAdministrator ? rightsOf(request) : undefined,
  };
}

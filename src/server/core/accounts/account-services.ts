import type { RequestOf } from "../../../protocol/client-messages.ts";
import { ProtocolError } from "../../../protocol/errors.ts";
import { type Fields, object, optional } from "../../../protocol/fields.ts";
import type { UserName } from "../../../protocol/ids.ts";
import { parseChannelName, parseUserName } from "../../../protocol/ids.ts";
import { limits } from "../../../protocol/limits.ts";
import type { DayKey, KeysOfSecret, Replies } from "../../../protocol/replies.ts";
import { invitation, oneOf, password, topics, yesOrNo } from "../../../protocol/request-fields.ts";
import { dayOf } from "../../../protocol/sealed.ts";
import { readTopic } from "../../../protocol/topics.ts";
import {
  type Circumstances,
  charge,
  type Decision,
  full,
  type Services,
  waits,
} from "../serving/decision.ts";
import type { ServiceRows } from "../serving/service.ts";
import { refusal } from "./account-decisions.ts";
import { changeAccount, changeChannel, changeRegistration } from "./administration.ts";
import { login } from "./login.ts";
import { changePassword } from "./password-changes.ts";
import { register } from "./registering.ts";

/** The services for accounts, for their administration, and for the keys of topics. */
export const accountServices: ServiceRows<
  "login" | "register" | "password" | "account" | "registration" | "removal" | "keys"
> = {
  login: {
    parse: object({ user: parseUserName, password: optional(password) }),
    for: "anybody",
    guesses: ({ user, password }) => (password === undefined ? undefined : { passwordOf: user }),
    decide: login,
    success: "sucesso",
  },
  register: {
    parse: object({ user: parseUserName, password, invitation: optional(invitation) }),
    for: "anybody",
    guesses: ({ invitation }) => ({ invitation }),
    decide: register,
  },
  password: {
    parse: object({ user: parseUserName, password, newPassword: password }),
    // The request contains the old password, so it needs no session.
    for: "anybody",
    needsAccounts: true,
    guesses: ({ user }) => ({ passwordOf: user }),
    decide: changePassword,
  },
  account: {
    parse: (data) => ({ user: parseUserName(data.user), change: parseChange(data) }),
    for: "administrators",
    needsAccounts: true,
    decide: (services, request, at) => {
      return waits(services, request, at) ?? changeAccount(services, request);
    },
  },
  registration: {
    parse: parseRegistration,
    for: "administrators",
    needsAccounts: true,
    decide: (services, request) => changeRegistration(services, request),
  },
  removal: {
    parse: ({ channel, removed }) => ({
      channel: parseChannelName(channel),
      isRemoved: yesOrNo(removed, "removed"),
    }),
    for: "administrators",
    needsAccounts: true,
    decide: (services, request, at) => {
      return waits(services, request, at) ?? changeChannel(services, request, at.now);
    },
  },
  keys: {
    parse: object({ topics }),
    for: "users",
    needsAccounts: true,
    decide: (services, request, at) => {
      return waits(services, request, at) ?? keys(services, request, at);
    },
  },
};

/**
 * Answers with today's and yesterday's key of each requested topic, if the sender may read all
 * these topics (X5).
 */
function keys(
  services: Services,
  request: RequestOf<"keys">,
  { now, room }: Circumstances,
): Decision<Replies["keys"]> {
  const { chat, accounts } = services;
  const user = request.session?.user as UserName;
  const sources = services.topicKeys;
  // Each topic is charged `limits.keyCostBytes` for each secret, because deriving the topic's keys
  // costs more than sending them.
  if (!charge(room, limits.keyCostBytes * request.topics.length * sources.length)) return full();
  const today = dayOf(services.correctedMs(now));
  const versions = new Map<string, string>();
  for (const topic of request.topics) {
    const name = readTopic(topic);
    const isOwn = name?.user === user;
    if (!isOwn && (name?.channel === undefined || !chat.knowsChannel(name.channel))) {
      return refusal("forbidden", "`topics` names one that is neither a channel nor your own.");
    }
    versions.set(topic, isOwn ? (accounts.credential(user)?.version ?? "") : "");
  }
  const [used, ...others] = sources.map((source): KeysOfSecret => {
    const ofTopics = [...versions].map(([topic, version]): [string, DayKey[]] => {
      const days = [today - 1, today];
      return [topic, days.map((day) => ({ day, key: source.key({ topic, day, version }) }))];
    });
    return { keys: Object.fromEntries(ofTopics), publisher: source.publisher };
  });
  const { keys: found = {}, publisher } = used ?? {};
  return { next: "answer", answer: { keys: found, publisher, also: others } };
}

function parseChange({
  locked,
  administrator,
  newPassword,
}: Fields): RequestOf<"account">["change"] {
  const given = [locked, administrator, newPassword].filter((value) => value != null);
  if (given.length !== 1) {
    throw new ProtocolError(
      "bad_request",
      "`account` takes one of `locked`, `administrator`, `newPassword`.",
    );
  }
  if (newPassword != null) return { newPassword: password(newPassword, "newPassword") };
  const flag = locked == null ? "administrator" : "locked";
  return { flag, isSet: yesOrNo(locked ?? administrator, flag) };
}

const registrationFields = object({
  mode: oneOf(["open", "closed", "invitation"] as const, "open, closed or invitation"),
  invitation: optional(invitation),
});

function parseRegistration(data: Fields): Pick<RequestOf<"registration">, "mode" | "invitation"> {
  const registration = registrationFields(data);
  const { mode, invitation: told } = registration;
  if ((mode === "invitation") !== (told !== undefined)) {
    throw new ProtocolError("bad_request", "`invitation` belongs to the mode invitation.");
  }
  return registration;
}

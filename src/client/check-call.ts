import type { Service } from "../protocol/client-messages.ts";
import type { Fields } from "../protocol/fields.ts";
import { isService } from "../protocol/parse-reply.ts";
import type { RequestData } from "../protocol/request-data.ts";
import type { ConversationName } from "../protocol/topics.ts";

type FieldOf<S extends Service> = keyof RequestData[S] & string;

/** The required text fields of a request, by service. */
const texts: { readonly [S in Service]: readonly FieldOf<S>[] } = {
  login: ["user"],
  register: ["user", "password"],
  password: ["user", "password", "newPassword"],
  account: ["user"],
  registration: ["mode"],
  removal: ["channel"],
  hook: ["user", "channel", "name", "hookToken"],
  hooks: ["user"],
  unhook: ["hook"],
  post: ["hookToken", "message"],
  shop: ["user"],
  cards: ["user"],
  buy: ["user", "pack"],
  offer: ["user", "to"],
  trade: ["user"],
  deck: ["user"],
  supply: ["pack"],
  matchBegin: ["match", "rules", "host", "game"],
  matchTerm: ["match", "host", "game"],
  matchEnd: ["match", "game"],
  matchVoid: ["match"],
  match: ["user"],
  matches: [],
  ranking: [],
  keys: [],
  presence: ["state"],
  users: [],
  channels: [],
  time: [],
  status: [],
  trace: ["of"],
  channel: ["channel"],
  publish: ["user", "channel", "message"],
  message: ["src", "dst", "message"],
  history: [],
  search: ["words"],
};

/**
 * Checks a call before it is sent, for programs in JavaScript, which no compiler checks.
 * @throws TypeError that names the wrong argument
 */
export function checkCall(service: Service, data: Fields, id: string): void {
  if (!isService(service)) throw new TypeError(`\`service\` names no service: ${String(service)}.`);
  if (typeof id !== "string") throw wrong("id", "a string", id);
  if (typeof data !== "object" || data === null) throw wrong("data", "an object", data);
  for (const field of texts[service]) {
    if (typeof data[field] !== "string") throw wrong(field, "a string", data[field]);
  }
  if (service === "history" || service === "search") checkName(data);
}

/** @throws TypeError unless `name` names a conversation */
export function checkName(name: Fields | ConversationName): void {
  if (typeof (name?.channel ?? name?.user) === "string") return;
  throw wrong("name", "{ channel } or { user }", name);
}

/** @throws TypeError unless `value` is an object, such as the options of a call */
export function checkObject(argument: string, value: unknown): void {
  if (typeof value !== "object" || value === null) throw wrong(argument, "an object", value);
}

/** @throws TypeError unless `value` is a string or undefined */
export function checkOptionalText(argument: string, value: unknown): void {
  if (value !== undefined && typeof value !== "string") throw wrong(argument, "a string", value);
}

/** @throws TypeError unless `value` is a function */
export function checkFunction(argument: string, value: unknown): void {
  if (typeof value !== "function") throw wrong(argument, "a function", value);
}

/** @throws TypeError unless `value` is an array of strings */
export function checkEndpoints(argument: string, value: unknown): void {
  const isRight = Array.isArray(value) && value.every((endpoint) => typeof endpoint === "string");
  if (!isRight) throw wrong(argument, "an array of endpoints", value);
}

function wrong(argument: string, expected: string, value: unknown): TypeError {
  const kind = value === null ? "null" : typeof value;
  return new TypeError(`\`${argument}\` must be ${expected}, and is ${kind}.`);
}

import type { Service } from "../protocol/client-messages.ts";
import type { Fields } from "../protocol/fields.ts";
import { isService } from "../protocol/parse-reply.ts";
import type { RequestData } from "../protocol/request-data.ts";

type FieldOf<S extends Service> = keyof RequestData[S] & string;

/** What no server could do without, and is text: by service. */
const texts: { readonly [S in Service]: readonly FieldOf<S>[] } = {
  login: ["user"],
  register: ["user", "password"],
  password: ["user", "password", "newPassword"],
  account: ["user"],
  registration: ["mode"],
  removal: ["channel"],
  keys: [],
  presence: ["state"],
  users: [],
  channels: [],
  time: [],
  status: [],
  channel: ["channel"],
  publish: ["user", "channel", "message"],
  message: ["src", "dst", "message"],
  history: [],
};

/**
 * A program in TypeScript that calls the client wrongly does not compile; one in JavaScript is told
 * here, before anything is sent.
 * @throws TypeError that names the argument
 */
export function checkCall(service: Service, data: Fields): void {
  if (!isService(service)) throw new TypeError(`\`service\` names no service: ${String(service)}.`);
  if (typeof data !== "object" || data === null) throw wrong("data", "an object", data);
  for (const field of texts[service]) {
    if (typeof data[field] !== "string") throw wrong(field, "a string", data[field]);
  }
  const { channel, user } = data;
  if (service === "history" && typeof (channel ?? user) !== "string") {
    throw wrong("name", "{ channel } or { user }", data);
  }
}

function wrong(argument: string, expected: string, value: unknown): TypeError {
  const kind = value === null ? "null" : typeof value;
  return new TypeError(`\`${argument}\` must be ${expected}, and is ${kind}.`);
}

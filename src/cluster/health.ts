import { probe } from "../net/probe.ts";
import { Requester } from "../net/requester.ts";
import { locally } from "../net/socket.ts";
import { memberKey, memberKeys, serverKey } from "../platform/curve.ts";
import { withKey } from "../platform/endpoint.ts";
import { Problem } from "../platform/problem.ts";
import { readSecret, secretSource } from "../platform/secret.ts";
import { rows, type Settings } from "../platform/settings.ts";
import { decode, encode } from "../protocol/codec.ts";
import { fieldsOf } from "../protocol/fields.ts";
import { type Role, roles } from "../protocol/reference-messages.ts";
import type { Text } from "../texts/texts.ts";

const timeoutMs = 3_000;

/**
 * `tertulia health ROLE`: asks a process of this machine whether it is ready. `settings` must give
 * the endpoint that the process has bound.
 * @param name the name of the process's role
 * @throws Problem (exit code 1) that says why the process is not ready
 * @throws Problem (exit code 2) if `name` is not the name of a role
 */
export async function runHealth(
  settings: Settings,
  name: string | undefined,
  text: Text,
): Promise<void> {
  const role = roleOf(name, text);
  const reason = await whyUnready(settings, role);
  if (reason === undefined) return;
  const [endpoint = ""] = boundEndpoints(settings, role);
  throw new Problem(`The ${role} at ${endpoint} is not ready: ${reason}.`);
}

/** @throws Problem (exit code 2) if `name` is not the name of a role */
export function roleOf(name: string | undefined, text: Text): Role {
  const role = roles.find((candidate) => candidate === name);
  if (role !== undefined) return role;
  throw new Problem(text("problem.healthRole", { roles: roles.join(", ") }), 2);
}

/** Returns the endpoints that a process of the role binds with these settings. */
export function boundEndpoints(settings: Settings, role: Role): readonly string[] {
  const endpointOf = (bound: "front" | "back" | "bind", row: keyof typeof rows) =>
    settings.optional(bound) ?? rows[row].fallback ?? "";
  switch (role) {
    case "broker":
      return [endpointOf("front", "broker"), endpointOf("back", "brokerBack")];
    case "proxy":
      return [endpointOf("front", "proxyIn"), endpointOf("back", "proxy")];
    case "reference":
      return [endpointOf("bind", "reference")];
    case "server":
      return [settings.optional("bind") ?? "tcp://127.0.0.1:*"];
    case "gateway":
      return [settings.get("http")];
    case "game":
      return [endpointOf("front", "game")];
    case "bot":
      return [];
    default:
      return role satisfies never;
  }
}

/** Returns whether the endpoint has any free port, which nobody knows before it is bound. */
export function hasAnyPort(endpoint: string): boolean {
  return /:(?:\*|0+)$/.test(endpoint);
}

/**
 * Asks a process of this machine why it is not ready; undefined if it is ready.
 * @throws Problem if no process of the role answers
 */
export async function whyUnready(settings: Settings, role: Role): Promise<string | undefined> {
  const ends = boundEndpoints(settings, role);
  const [endpoint = ""] = ends;
  switch (role) {
    case "broker":
    case "proxy":
      await Promise.all(
        ends.map(async (end) => {
          if ((await probe(locally(end), timeoutMs)) !== "greeting") throw noAnswer(role, end);
        }),
      );
      return undefined;
    case "reference":
    case "game":
      return ask(role, endpoint, serverKey(settings));
    case "server": {
      if (hasAnyPort(endpoint)) {
        throw new Problem("Say where the server's peer link is bound: --bind tcp://host:port.", 2);
      }
      // Only members connect to a peer link.
      const secret = readSecret(secretSource(settings));
      return ask(role, endpoint, memberKey(secret, memberKeys(settings, secret)));
    }
    case "gateway":
      return askGateway(settings.get("http"));
    case "bot":
      return undefined;
    default:
      return role satisfies never;
  }
}

/** A gateway says over HTTP whether it is ready. */
async function askGateway(endpoint: string): Promise<string | undefined> {
  const url = `${locally(endpoint).replace("tcp:", "http:")}/readyz`;
  const signal = AbortSignal.timeout(timeoutMs);
  const reply = await fetch(url, { signal }).catch(() => undefined);
  const { ready, reasons } = fieldsOf(await reply?.json().catch(() => undefined));
  // Another program may serve HTTP there.
  if (typeof ready !== "boolean") throw noAnswer("gateway", endpoint);
  if (ready) return undefined;
  const [reason = "no reason"] = Array.isArray(reasons) ? reasons.map(String) : [];
  return reason;
}

async function ask(
  role: Role,
  endpoint: string,
  key: string | undefined,
): Promise<string | undefined> {
  const requester = new Requester(withKey([locally(endpoint)], key), { waits: true });
  try {
    const payload = encode({ service: "health", data: { clock: 0 } });
    const { data } = fieldsOf(decode(await requester.ask(payload, timeoutMs)));
    const { ready, reason = "no reason" } = fieldsOf(data);
    return ready === true ? undefined : String(reason);
  } catch {
    throw noAnswer(role, endpoint);
  } finally {
    requester.close();
  }
}

function noAnswer(role: Role, endpoint: string): Problem {
  return new Problem(`The ${role} does not answer at ${endpoint}.`);
}

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
  const role = roles.find((candidate) => candidate === name);
  if (role === undefined) {
    throw new Problem(text("problem.healthRole", { roles: roles.join(", ") }), 2);
  }
  const endpointOf = (bound: "front" | "back" | "bind", row: keyof typeof rows) =>
    settings.optional(bound) ?? rows[row].fallback ?? "";
  switch (role) {
    case "broker":
    case "proxy": {
      const isBroker = role === "broker";
      const ends = [
        endpointOf("front", isBroker ? "broker" : "proxyIn"),
        endpointOf("back", isBroker ? "brokerBack" : "proxy"),
      ];
      await Promise.all(
        ends.map(async (endpoint) => {
          if (!(await probe(locally(endpoint), timeoutMs))) throw noAnswer(role, endpoint);
        }),
      );
      return;
    }
    case "reference":
      return ask(role, endpointOf("bind", "reference"), serverKey(settings));
    case "server": {
      const endpoint = settings.optional("bind");
      if (endpoint === undefined || /:(?:\*|0+)$/.test(endpoint)) {
        throw new Problem("Say where the server's peer link is bound: --bind tcp://host:port.", 2);
      }
      // Only members connect to a peer link.
      const secret = readSecret(secretSource(settings));
      return ask(role, endpoint, memberKey(secret, memberKeys(settings, secret)));
    }
    case "bot":
      return;
    default:
      role satisfies never;
  }
}

async function ask(role: Role, endpoint: string, key: string | undefined): Promise<void> {
  const requester = new Requester(withKey([locally(endpoint)], key), { waits: true });
  try {
    const payload = encode({ service: "health", data: { clock: 0 } });
    const { data } = fieldsOf(decode(await requester.ask(payload, timeoutMs)));
    const { ready, reason = "no reason" } = fieldsOf(data);
    if (ready !== true) throw new Problem(`The ${role} at ${endpoint} is not ready: ${reason}.`);
  } catch (error) {
    throw error instanceof Problem ? error : noAnswer(role, endpoint);
  } finally {
    requester.close();
  }
}

function noAnswer(role: Role, endpoint: string): Problem {
  return new Problem(`The ${role} does not answer at ${endpoint}.`);
}

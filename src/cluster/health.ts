import { probe } from "../net/probe.ts";
import { Requester } from "../net/requester.ts";
import { locally } from "../net/socket.ts";
import { memberKey, memberKeys, serverKey } from "../platform/curve.ts";
import { withKey } from "../platform/endpoint.ts";
import { Problem } from "../platform/problem.ts";
import { readSecret, secretSource } from "../platform/secret.ts";
import { rows, type Settings } from "../platform/settings.ts";
import { decode, encode } from "../protocol/codec.ts";
import { isMap } from "../protocol/fields.ts";
import type { Role } from "../protocol/reference-messages.ts";

const timeoutMs = 3_000;

/**
 * `tertulia health ROLE`: asks a process of this machine whether it lives and is ready, at the
 * endpoint where the same settings would bind it.
 * @throws Problem (exit code 1) that says why not
 */
export async function runHealth(settings: Settings, role: Role): Promise<void> {
  switch (role) {
    case "broker":
    case "proxy": {
      const [front, back] =
        role === "broker" ? [rows.broker, rows.brokerBack] : [rows.proxyIn, rows.proxy];
      const ends = [
        settings.optional("front") ?? front.fallback,
        settings.optional("back") ?? back.fallback,
      ];
      await Promise.all(
        ends.map(async (endpoint) => {
          const alive = await probe(locally(endpoint ?? ""), timeoutMs);
          if (!alive) throw new Problem(`The ${role} does not answer at ${endpoint}.`);
        }),
      );
      return;
    }
    case "reference":
      return ask("reference", settings.optional("bind") ?? rows.reference.fallback ?? "", () =>
        serverKey(settings),
      );
    case "server": {
      const endpoint = settings.optional("bind");
      if (endpoint === undefined || /:(?:\*|0+)$/.test(endpoint)) {
        throw new Problem("Say where the server's peer link is bound: --bind tcp://host:port.", 2);
      }
      // None but members connect to a peer link.
      return ask("server", endpoint, () => {
        const secret = readSecret(secretSource(settings));
        return memberKey(secret, memberKeys(settings, secret));
      });
    }
    case "bot":
      return;
    default:
      role satisfies never;
  }
}

async function ask(
  role: "reference" | "server",
  endpoint: string,
  key: () => string | undefined,
): Promise<void> {
  const endpoints = withKey([locally(endpoint)], key());
  const requester = new Requester(endpoints, { waits: true });
  try {
    const payload = encode({ service: "health", data: { clock: 0 } });
    const reply = decode(await requester.ask(payload, timeoutMs));
    const data = isMap(reply) && isMap(reply.data) ? reply.data : {};
    if (data.ready !== true) {
      throw new Problem(`The ${role} at ${endpoint} is not ready: ${data.reason ?? "no reason"}.`);
    }
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem(`The ${role} does not answer at ${endpoint}.`);
  } finally {
    requester.close();
  }
}

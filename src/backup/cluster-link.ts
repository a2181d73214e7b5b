import { Membership } from "../net/membership.ts";
import { memberKey, memberKeys } from "../platform/curve.ts";
import { addressesOf, withKey } from "../platform/endpoint.ts";
import { openLog } from "../platform/log.ts";
import { Problem } from "../platform/problem.ts";
import { randomHex } from "../platform/random.ts";
import { readSecret, secretSource } from "../platform/secret.ts";
import type { Settings } from "../platform/settings.ts";
import { ProtocolError } from "../protocol/errors.ts";
import { isServerName, type ServerName } from "../protocol/ids.ts";
import { LamportClock } from "../protocol/lamport-clock.ts";
import { parseHeartbeatReply } from "../protocol/parse-reference.ts";
import { PeerLinks } from "../server/peer-links.ts";
import type { Text } from "../texts/texts.ts";
import type { Collecting, Members } from "./collect.ts";

/** This process's links to the reference and to the servers, as those of a member. */
export type ClusterLink = Disposable &
  Pick<Collecting, "name" | "clock" | "peers" | "members"> & { readonly cluster: string };

/** @throws Problem if the secret can't be read */
export function openClusterLink(settings: Settings, text: Text): ClusterLink {
  const source = secretSource(settings);
  const secret = readSecret(source);
  const keys = memberKeys(settings, secret);
  // Servers answer only processes that have a server's name.
  const name = `server_${randomHex(4)}` as ServerName;
  const self = () => name;
  const clock = new LamportClock();
  const log = openLog({ level: "silent", role: "backup", name: self, clock: () => clock.value });
  const membership = new Membership({ secret, keys, self, clock, log });
  const reference = settings.get("reference");
  const link = membership.referenceLink(withKey(reference, keys?.publicKey));
  const peers = new PeerLinks(membership.seals("peer"), memberKey(secret, keys));
  const endpoints = addressesOf(reference);
  return {
    name,
    clock,
    peers,
    cluster: source.cluster,
    async members() {
      try {
        return membersOf(await link.ask("list", {}), text);
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error;
        if (link.refusal !== undefined) {
          throw new Problem(text(`problem.${link.refusal}`, { endpoints }));
        }
        throw new Problem(text("backup.noReference", { endpoints, origin: secret.origin }));
      }
    },
    [Symbol.dispose]() {
      link.close();
      peers.close();
    },
  };
}

/** @throws Problem if the servers have an engine, so that there is nothing to copy from them */
function membersOf(fields: Readonly<Record<string, unknown>>, text: Text): Members {
  const { view, list } = parseHeartbeatReply(fields);
  if (list.some(({ hasEngine }) => hasEngine)) throw new Problem(text("backup.engine"));
  const addresses = new Map<ServerName, string>();
  for (const { name, role, address, isKnown } of list) {
    if (role === "server" && isKnown && isServerName(name)) addresses.set(name, address);
  }
  return { view, addresses };
}

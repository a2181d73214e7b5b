import { join } from "node:path";
import { memberKey } from "../../src/platform/curve.ts";
import { withKey } from "../../src/platform/endpoint.ts";
import { readSecret, type Secret } from "../../src/platform/secret.ts";

/** The secret of a cluster whose data is in that folder. */
export function secretIn(folder: string): Secret {
  const path = join(folder, "secret");
  return readSecret({ text: undefined, path, isDefault: true, cluster: "tertulia" });
}

/**
 * The endpoint, together with the password that lets a peer in where only members may connect. The
 * peer may still send messages that no member would send.
 * @param folder the data of a cluster that is not encrypted
 */
export function withinTheDoor(folder: string, endpoint: string): string {
  const [within = ""] = withKey([endpoint], memberKey(secretIn(folder), undefined));
  return within;
}

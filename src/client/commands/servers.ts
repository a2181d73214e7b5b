import { Membership } from "../../net/membership.ts";
import { ReferenceLink } from "../../net/reference-link.ts";
import { addressesOf } from "../../platform/endpoint.ts";
import { openLog } from "../../platform/log.ts";
import { Problem } from "../../platform/problem.ts";
import { randomHex } from "../../platform/random.ts";
import { readSecret, type Secret, type SecretSource } from "../../platform/secret.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { isServerName } from "../../protocol/ids.ts";
import { LamportClock } from "../../protocol/lamport-clock.ts";
import { isOurList } from "../../protocol/parse-list.ts";
import type { Text } from "../../texts/texts.ts";
import type { Context } from "./context.ts";
import { askReference } from "./status.ts";

/**
 * `tertulia servers remove NAME`. Needs the cluster's secret, because only members may remove a
 * server.
 */
export async function removeServer(
  { config, text, output }: Context,
  user: string,
  { force = false }: { readonly force?: boolean },
): Promise<void> {
  if (!isServerName(user)) throw new Problem(text("problem.serverName", { name: user }), 2);
  const clock = new LamportClock();
  const guest = new ReferenceLink(config.reference, clock);
  let link: ReferenceLink | undefined;
  const endpoints = addressesOf(config.reference);
  try {
    // A link loses requests that are sent before it is connected, and a removal must not be sent
    // twice. So first request the list until the reference answers.
    const reply = await askReference(guest, config.timeoutMs);
    if (reply === undefined) {
      throw new Problem(text(`problem.${guest.refusal ?? "noReference"}`, { endpoints }));
    }
    if (!isOurList(reply)) throw new Problem(text("status.foreignReference"));
    const secret = secretOf(config.secret, text);
    link = memberLink(config.reference, clock, secret);
    if ((await askReference(link, Math.min(config.timeoutMs, silenceMs))) === undefined) {
      throw new Problem(text("problem.referenceSilent", { endpoints, origin: secret.origin }));
    }
    const { view } = await link.ask("remove", { user, force }, config.timeoutMs);
    output.done({ removed: user, view }, text("done.remove", { name: user }));
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new Problem(text("problem.referenceRefused", { description: error.message }));
  } finally {
    guest.close();
    link?.close();
  }
}

/** @throws Problem in the person's language if the secret can't be read */
function secretOf(source: SecretSource, text: Text): Secret {
  try {
    return readSecret(source);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    throw new Problem(text("problem.secret", { description: error.message }), error.exitCode);
  }
}

function memberLink(endpoints: readonly string[], clock: LamportClock, secret: Secret) {
  const name = `operator_${randomHex(4)}`;
  const self = () => name;
  const log = openLog({ level: "silent", role: "client", name: self, clock: () => 0 });
  const membership = new Membership({ secret, self, clock, log });
  return membership.referenceLink(endpoints);
}

/**
 * How long to wait for an answer over `memberLink`. The reference has already answered the link
 * without a secret. So if it does not answer this link, it does not accept the secret.
 */
const silenceMs = 2_000;

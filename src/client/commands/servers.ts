import { ReferenceLink } from "../../net/reference-link.ts";
import { Problem } from "../../platform/problem.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { isServerName } from "../../protocol/ids.ts";
import { LamportClock } from "../../protocol/lamport-clock.ts";
import type { Context } from "./context.ts";
import { askReference } from "./status.ts";

/** `tertulia servers remove NAME` */
export async function removeServer(
  { config, text, output }: Context,
  user: string,
  { force = false }: { readonly force?: boolean },
): Promise<void> {
  if (!isServerName(user)) throw new Problem(text("problem.serverName", { name: user }), 2);
  const link = new ReferenceLink(config.reference, new LamportClock());
  const endpoints = config.reference.join(", ");
  try {
    // A question that is only read comes first: the removal itself is not to be asked twice.
    if ((await askReference(link, config.timeoutMs)) === undefined) {
      throw new Problem(text("problem.noReference", { endpoints }));
    }
    const { view } = await link.ask("remove", { user, force }, config.timeoutMs);
    output.done({ removed: user, view }, text("done.remove", { name: user }));
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new Problem(text("problem.referenceRefused", { description: error.message }));
  } finally {
    link.close();
  }
}

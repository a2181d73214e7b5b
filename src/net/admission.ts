import { Reply } from "zeromq";
import type { CurveKeys } from "../platform/curve.ts";

/** Where libzmq asks whom to let in, for all sockets of this process (ZeroMQ RFC 27, ZAP). */
const zap = "inproc://zeromq.zap.01";
/** That of sockets at which members alone have something to say. */
export const membersDomain = "members";

/**
 * Lets nobody but members in at sockets of their domain: who connects there proves that he has the
 * cluster's own pair. Whoever is let in as a server gets clients' requests, with their passwords.
 * @param onRefused told from where somebody came
 */
export async function admitMembers(
  { publicKey }: CurveKeys,
  onRefused: (address: string) => void,
): Promise<AsyncDisposable> {
  const socket = new Reply({ linger: 0 });
  await socket.bind(zap);
  const key = Buffer.from(publicKey, "hex");
  const decide = async () => {
    for await (const [version = "", id = "", domain, address, , , given] of socket) {
      const isIn = String(domain) !== membersDomain || given?.equals(key) === true;
      if (!isIn) onRefused(String(address));
      const [code, text] = isIn ? ["200", "OK"] : ["400", "It is no member"];
      await socket.send([version, id, code, text, "", ""]);
    }
  };
  // Without it libzmq would let everybody in.
  void decide().catch((error) => {
    if (!socket.closed) throw error;
  });
  return {
    [Symbol.asyncDispose]: async () => {
      // A closed socket gives its address back a while later.
      await socket.unbind(zap);
      socket.close();
    },
  };
}

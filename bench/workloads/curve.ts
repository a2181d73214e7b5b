import { parseUserName } from "../../src/protocol/ids.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { channel, members, password, publish, warmUp } from "../chat-load.ts";
import type { Figure, Values, Workload } from "../workload.ts";

const listeners = 4;

/** A cluster with one writer and some listeners. */
interface Heard {
  write(inFlight: number): Promise<Values>;
}

export const curve: Workload = {
  name: "curve",
  description: `encryption and accounts beside an open cluster: writes, and ${listeners} listeners`,
  async measure({ seconds, beside }) {
    await using plain = await LocalCluster.start();
    await using curve = await LocalCluster.start({ curve: true, auth: "required" });
    const heardPlain = await heard(plain, { seconds, accounts: false });
    const heardCurve = await heard(curve, { seconds, accounts: true });
    const found: Figure[] = [];
    for (const inFlight of [1, 32, 512]) {
      const written = () => heardCurve.write(inFlight);
      found.push(
        ...(await beside(`${inFlight} in flight`, written, () => heardPlain.write(inFlight))),
      );
    }
    return found;
  },
};

async function heard(
  cluster: LocalCluster,
  { seconds, accounts }: { seconds: number; accounts: boolean },
): Promise<Heard> {
  const sessions = await members(cluster, { accounts });
  await warmUp(sessions);
  let count = 0;
  for (let number = 0; number < listeners; number += 1) {
    const listener = cluster.client();
    await listener.login(parseUserName("user0"), accounts ? password : undefined);
    await listener.subscribe({ channel }, () => {
      count += 1;
    });
  }
  return {
    async write(inFlight) {
      const [before, startMs] = [count, performance.now()];
      const written = await publish(sessions, { inFlight, seconds });
      const delivered = (1_000 * (count - before)) / (performance.now() - startMs);
      return { ...written, "deliveries per s": delivered };
    },
  };
}

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { channel, members, password } from "../chat-load.ts";
import { measure } from "../measure.ts";
import { messageText } from "../message.ts";
import { cli, Embedded, run, TemporaryFolder, withoutProc } from "../processes.ts";
import { figures, type Workload } from "../workload.ts";

const node = process.execPath;
const npmStart = ["npm", "start", "--ignore-scripts", "--silent", "--"];
const send = [node, cli, "send", `#${channel}`, messageText];

type Environment = Readonly<Record<string, string>>;

export const start: Workload = {
  name: "start",
  description: "`npm start` of a built cluster until it is ready; commands beside `node -e 0`",
  missing: withoutProc,
  async measure({ seconds, beside }) {
    await using folder = await TemporaryFolder.make();
    const repeat = (command: readonly string[], environment?: Environment) => () =>
      measure(() => run(command, environment), { inFlight: 1, seconds });
    const nothing = repeat([node, "-e", "0"]);
    const ready = { "ready after ms": await readyMs(join(folder.path, "data")) };
    const help = await beside("tertulia --help", repeat([node, cli, "--help"]), nothing);
    await using open = await LocalCluster.start();
    await members(open);
    const plain = environmentOf(open, folder.path);
    await using closed = await LocalCluster.start({ curve: true, auth: "required" });
    await members(closed, { accounts: true });
    const session = environmentOf(closed, folder.path);
    await logIn(session, folder.path);
    return [
      ...figures("npm start", ready),
      ...help,
      ...(await beside("tertulia send", repeat(send, plain), nothing)),
      ...(await beside("tertulia send, --curve, a session", repeat(send, session), nothing)),
    ];
  },
};

async function readyMs(data: string): Promise<number> {
  await using cluster = await Embedded.start(npmStart, data);
  return cluster.readyMs;
}

/** @param state the folder for sessions */
function environmentOf(cluster: LocalCluster, state: string): Environment {
  const { broker, proxy, reference } = cluster.endpoints;
  return {
    TERTULIA_BROKER: broker,
    TERTULIA_PROXY: proxy,
    TERTULIA_REFERENCE: reference,
    TERTULIA_USER: "user0",
    XDG_STATE_HOME: state,
  };
}

/** Saves a session, which later commands use. */
async function logIn(environment: Environment, folder: string): Promise<void> {
  const passwordFile = join(folder, "password");
  await writeFile(passwordFile, password, { mode: 0o600 });
  await run([node, cli, "login", "user0", "--password-file", passwordFile], environment);
}

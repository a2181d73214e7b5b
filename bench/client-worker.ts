import { context, Request } from "zeromq";
import { Connection } from "../src/client/connection.ts";
import type { Session } from "../src/client/session.ts";
import { connect } from "../src/net/connect.ts";
import { encode } from "../src/protocol/codec.ts";
import { parseUserName } from "../src/protocol/ids.ts";
import { channel, publish } from "./chat-load.ts";
import { endWithBench } from "./child-process.ts";
import { listen } from "./listener.ts";

/** A process with clients of the cluster: a listener, a flood, or a crowd that is only connected. */
const [role, broker = "", count = ""] = process.argv.slice(2);

function listenToChannel(): void {
  let connection: Connection | undefined;
  let session: Session | undefined;
  listen(async ([brokers = "", proxies = "", mode], hear) => {
    connection ??= new Connection({ brokers: brokers.split(","), proxies: proxies.split(",") });
    session?.close();
    session = connection.session();
    await session.login(parseUserName(`listener${process.pid}`));
    const options = mode === "replay" ? { since: {} } : {};
    await session.subscribe({ channel }, ({ message }) => hear(message), options);
  });
}

/** Writes as fast as it can until the process is killed. */
async function flood(): Promise<void> {
  const session = new Connection({ brokers: broker.split(","), proxies: [] }).session();
  await session.login(parseUserName("flood"));
  process.send?.({});
  await publish([session], { inFlight: Number(count), until: new AbortController().signal });
}

/** Logs many users in, each on its own socket, which stays connected. */
async function gather(): Promise<void> {
  // Each connected socket also needs sockets inside libzmq.
  context.maxSockets = 4 * Number(count);
  const logins = Array.from({ length: Number(count) }, async (_, number) => {
    const socket = new Request({ linger: 0 });
    connect(socket, broker.split(","));
    await socket.send(encode({ service: "login", data: { user: `guest${number}`, clock: 0 } }));
    await socket.receive();
    return socket;
  });
  crowd.push(...(await Promise.all(logins)));
  process.send?.({});
}

/** Kept, because a socket that nothing refers to is closed. */
const crowd: Request[] = [];

if (role !== undefined) endWithBench();
if (role === "flood") await flood();
else if (role === "crowd") await gather();
else listenToChannel();

import { Router } from "zeromq";
import { startBroker } from "../src/net/forwarder.ts";
import { socketOptions } from "../src/net/socket.ts";

/** A broker or an echo of the raw workload, as a process of its own. */
const [role, endpoint] = process.argv.slice(2);
if (role === "broker") {
  const any = "tcp://127.0.0.1:*";
  const broker = await startBroker({ front: any, back: any, onConnections: () => {} });
  process.send?.({ front: broker.front, back: broker.back });
  await broker.ended;
} else {
  const socket = new Router(socketOptions);
  socket.connect(endpoint ?? "");
  process.send?.({});
  for await (const frames of socket) await socket.send(frames);
}

import { Dealer, Router, Proxy as ZmqProxy } from "zeromq";
import { socketOptions } from "../src/net/socket.ts";

/** A broker or an echo of the raw workload, as a process of its own. */
const [role, endpoint] = process.argv.slice(2);
if (role === "broker") {
  const front = new Router(socketOptions);
  const back = new Dealer(socketOptions);
  for (const socket of [front, back]) await socket.bind("tcp://127.0.0.1:*");
  process.send?.({ front: front.lastEndpoint, back: back.lastEndpoint });
  await new ZmqProxy(front, back).run();
} else {
  const socket = new Router(socketOptions);
  socket.connect(endpoint ?? "");
  process.send?.({});
  for await (const frames of socket) await socket.send(frames);
}

import { Dealer, Router, Subscriber, XPublisher, XSubscriber, Proxy as ZmqProxy } from "zeromq";
import { socketOptions } from "../src/net/socket.ts";
import { endWithBench } from "./child-process.ts";
import { listen } from "./listener.ts";

/** A process of the workloads on bare ZeroMQ: a broker, an echo, a proxy or a listener. */
const [role, endpoint = ""] = process.argv.slice(2);
const unbounded = { sendHighWaterMark: 0, receiveHighWaterMark: 0 };

async function forward(...[front, back]: ConstructorParameters<typeof ZmqProxy>): Promise<void> {
  for (const socket of [front, back]) await socket.bind("tcp://127.0.0.1:*");
  process.send?.({ front: front.lastEndpoint, back: back.lastEndpoint });
  await new ZmqProxy(front, back).run();
}

async function echo(): Promise<void> {
  const socket = new Router(socketOptions);
  socket.connect(endpoint);
  process.send?.({});
  for await (const frames of socket) await socket.send(frames);
}

function hearAll(): void {
  listen(async ([proxy = ""], hear) => {
    const socket = new Subscriber({ receiveHighWaterMark: 0 });
    socket.connect(proxy);
    socket.subscribe("");
    const isSubscribed = new Promise<void>((resolve) => {
      void (async () => {
        for await (const [text] of socket) {
          resolve();
          // An empty message only shows that the subscription has arrived.
          if (text !== undefined && text.length > 0) hear(text.toString());
        }
      })();
    });
    await isSubscribed;
  });
}

if (role !== undefined) endWithBench();
if (role === "broker") await forward(new Router(socketOptions), new Dealer(socketOptions));
else if (role === "echo") await echo();
else if (role === "proxy") await forward(new XSubscriber(unbounded), new XPublisher(unbounded));
else hearAll();

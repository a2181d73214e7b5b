import { Dealer, Router, XPublisher, XSubscriber, Proxy as ZmqProxy } from "zeromq";
import { limits } from "../protocol/limits.ts";
import { bind, type Entrance, socketOptions, watchAccepted } from "./socket.ts";

export interface Forwarder {
  /** Where the two sides are bound, with their real ports. */
  readonly front: string;
  readonly back: string;
  /** Resolves when libzmq's loop has ended. */
  readonly ended: Promise<void>;
  close(): Promise<void>;
}

export interface ForwarderOptions {
  readonly front: string;
  readonly back: string;
  readonly entrance?: Entrance;
  /** Connections on the front and on the back. */
  readonly onConnections: (side: "front" | "back", count: number) => void;
}

/** Requests to workers in turn, replies back: ROUTER in front, DEALER behind. */
export function startBroker(options: ForwarderOptions): Promise<Forwarder> {
  const front = new Router({ ...socketOptions, sendHighWaterMark: limits.unreadReplies });
  return start(front, new Dealer(socketOptions), options);
}

/** Publications to subscribers, subscriptions to publishers: XSUB in front, XPUB behind. */
export function startProxy(options: ForwarderOptions): Promise<Forwarder> {
  return start(new XSubscriber(socketOptions), new XPublisher(socketOptions), options);
}

async function start(
  front: Router | XSubscriber,
  back: Dealer | XPublisher,
  options: ForwarderOptions,
): Promise<Forwarder> {
  watchAccepted(front.events, (count) => options.onConnections("front", count));
  watchAccepted(back.events, (count) => options.onConnections("back", count));
  const frontEndpoint = await bind(front, options.front, options.entrance);
  let backEndpoint: string;
  try {
    backEndpoint = await bind(back, options.back, options.entrance);
  } catch (error) {
    front.close();
    throw error;
  }
  const proxy = new ZmqProxy(front, back);
  const ended = proxy.run();
  // Whoever holds this holds the loop and its sockets: collected as garbage, a running loop aborts
  // the process.
  return {
    front: frontEndpoint,
    back: backEndpoint,
    ended,
    close: async () => {
      proxy.terminate();
      await ended;
    },
  };
}

import { Dealer, Router, XPublisher, XSubscriber, Proxy as ZmqProxy } from "zeromq";
import type { CurveKeys } from "../platform/curve.ts";
import { limits } from "../protocol/limits.ts";
import { SendQueue } from "./send-queue.ts";
import {
  bind,
  type Entrance,
  isSubscription,
  receiveAll,
  socketOptions,
  watchAccepted,
} from "./socket.ts";

export interface Forwarder {
  /** Where the two sides are bound, with their real ports. */
  readonly front: string;
  readonly back: string;
  /** Resolves when nothing is forwarded any more. */
  readonly ended: Promise<void>;
  close(): Promise<void>;
}

/** As `Entrance`, with the keys of both sides. */
export interface ForwarderEntrance extends Entrance {
  readonly keys: CurveKeys | undefined;
}

const noEntrance: ForwarderEntrance = { keys: undefined, onRefused: () => {} };

export interface ForwarderOptions {
  readonly front: string;
  readonly back: string;
  readonly entrance?: ForwarderEntrance;
  /** Connections on the front and on the back. */
  readonly onConnections: (side: "front" | "back", count: number) => void;
}

/** Requests to workers in turn, replies back: ROUTER in front, DEALER behind. */
export async function startBroker(options: ForwarderOptions): Promise<Forwarder> {
  const front = new Router({ ...socketOptions, sendHighWaterMark: limits.unreadReplies });
  const back = new Dealer(socketOptions);
  const endpoints = await bindBoth({ front, back, members: "back" }, options);
  const proxy = new ZmqProxy(front, back);
  const ended = proxy.run();
  // Whoever holds this holds the loop and its sockets: collected as garbage, a running loop aborts
  // the process.
  return {
    ...endpoints,
    ended,
    close: async () => {
      proxy.terminate();
      await ended;
    },
  };
}

/**
 * Publications to subscribers, subscriptions to publishers: XSUB in front, XPUB behind. libzmq's own
 * loop would end at a message of several frames that a subscriber sends (see `isSubscription`).
 */
export async function startProxy(options: ForwarderOptions): Promise<Forwarder> {
  const front = new XSubscriber(socketOptions);
  const back = new XPublisher(socketOptions);
  const endpoints = await bindBoth({ front, back, members: "front" }, options);
  const down = new SendQueue((frames) => back.send(frames));
  const up = new SendQueue((frames) => front.send(frames));
  const publications = receiveAll(front, (frames) => down.push(frames));
  const subscriptions = receiveAll(back, (frames) => {
    for (const frame of frames.filter(isSubscription)) up.push([frame]);
  });
  return {
    ...endpoints,
    ended: Promise.all([publications, subscriptions]).then(() => {}),
    close: async () => {
      await down.empty();
      for (const queue of [down, up]) queue.close();
      for (const socket of [front, back]) socket.close();
    },
  };
}

interface Sides {
  readonly front: Router | XSubscriber;
  readonly back: Dealer | XPublisher;
  /** Where none but servers connect: whoever passed for one would get clients' requests. */
  readonly members: "front" | "back";
}

async function bindBoth(
  { front, back, members }: Sides,
  options: ForwarderOptions,
): Promise<Pick<Forwarder, "front" | "back">> {
  watchAccepted(front.events, (count) => options.onConnections("front", count));
  watchAccepted(back.events, (count) => options.onConnections("back", count));
  const { keys, onRefused } = options.entrance ?? noEntrance;
  const entranceOf = (side: "front" | "back") => {
    return { keys: side === members ? keys?.members : keys, onRefused };
  };
  try {
    const frontEndpoint = await bind(front, options.front, entranceOf("front"));
    return { front: frontEndpoint, back: await bind(back, options.back, entranceOf("back")) };
  } catch (error) {
    for (const socket of [front, back]) socket.close();
    throw error;
  }
}

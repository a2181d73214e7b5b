import { Dealer, Router, XPublisher, XSubscriber, Proxy as ZmqProxy } from "zeromq";
import type { CurveKeys } from "../platform/curve.ts";
import { limits } from "../protocol/limits.ts";
import { admitMembers, membersDomain } from "./admission.ts";
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
  return start({ front, back: new Dealer(socketOptions), members: "back" }, options);
}

/** Publications to subscribers, subscriptions to publishers: XSUB in front, XPUB behind. */
export function startProxy(options: ForwarderOptions): Promise<Forwarder> {
  const [front, back] = [new XSubscriber(socketOptions), new XPublisher(socketOptions)];
  return start({ front, back, members: "front" }, options);
}

interface Sides {
  readonly front: Router | XSubscriber;
  readonly back: Dealer | XPublisher;
  /** Where none but servers connect. */
  readonly members: "front" | "back";
}

async function start(
  { front, back, members }: Sides,
  options: ForwarderOptions,
): Promise<Forwarder> {
  watchAccepted(front.events, (count) => options.onConnections("front", count));
  watchAccepted(back.events, (count) => options.onConnections("back", count));
  const { entrance } = options;
  const admission = entrance?.keys && (await admit(entrance, options[members]));
  const entranceOf = (side: "front" | "back") =>
    side === members && entrance ? { ...entrance, domain: membersDomain } : entrance;
  let frontEndpoint: string;
  let backEndpoint: string;
  try {
    frontEndpoint = await bind(front, options.front, entranceOf("front"));
    backEndpoint = await bind(back, options.back, entranceOf("back"));
  } catch (error) {
    for (const socket of [front, back]) socket.close();
    await admission?.[Symbol.asyncDispose]();
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
      await admission?.[Symbol.asyncDispose]();
    },
  };
}

function admit({ keys, onRefused }: Entrance, endpoint: string): Promise<AsyncDisposable> {
  const refuse = (address: string) => onRefused(endpoint, `${address} is no member of the cluster`);
  return admitMembers(keys as CurveKeys, refuse);
}

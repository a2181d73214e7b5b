import { randomBytes } from "node:crypto";
import { Connection, Outgoing, type Security } from "../../src/zmtp/connection.ts";
import { Refused, type RefusedBecause } from "../../src/zmtp/refused.ts";
import { bounds, isEqual } from "./bound-connection.ts";

/** One side of a connection between two `Connection`s, and the bytes that it has written. */
export class Side {
  readonly messages: string[][] = [];
  refusedBecause: RefusedBecause | undefined;
  readonly connection: Connection;
  #written: Buffer[] = [];

  constructor(security: Security) {
    this.connection = new Connection(
      {
        socketType: "credentials" in security ? "DEALER" : "ROUTER",
        peers: "credentials" in security ? ["ROUTER"] : ["DEALER"],
        security,
        bounds,
        random: randomBytes,
        isEqual,
      },
      {
        write: (bytes) => this.#written.push(bytes),
        onReady: () => {},
        onMessage: (frames) => this.messages.push(frames.map(String)),
      },
    );
    this.connection.start();
  }

  take(): Buffer {
    return Buffer.concat(this.#written.splice(0));
  }

  hear(bytes: Buffer): void {
    if (this.refusedBecause !== undefined) return;
    try {
      this.connection.receive(bytes);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.refusedBecause = error.because;
    }
  }

  say(...frames: string[]): void {
    this.connection.send(new Outgoing(frames.map((frame) => Buffer.from(frame))));
  }
}

interface Talk {
  /** The most bytes that arrive at once. */
  readonly pieceBytes?: number;
  /** Changes what one side has written before the other hears it. */
  readonly change?: (bytes: Buffer, from: "caller" | "bound") => Buffer;
}

/** Carries the bytes of both sides until nobody writes any more. */
export function talk(
  caller: Side,
  bound: Side,
  { pieceBytes = Number.POSITIVE_INFINITY, change = (bytes) => bytes }: Talk = {},
): void {
  const carry = (from: "caller" | "bound", [one, other]: readonly [Side, Side]) => {
    const bytes = change(one.take(), from);
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      other.hear(bytes.subarray(at, Math.min(bytes.length, at + pieceBytes)));
    }
    return bytes.length;
  };
  while (carry("caller", [caller, bound]) + carry("bound", [bound, caller]) > 0);
}

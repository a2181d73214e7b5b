import { createHmac, type KeyObject, timingSafeEqual } from "node:crypto";
import type { Envelope } from "./envelope.ts";

const mark = Buffer.from("gateway ");
const macBytes = 32;

/**
 * The seals of gateways (X9). A gateway sends its seal as a frame in front of a payload. The seal
 * proves that the requests' field `via` is true. Gateways have the key of this purpose only, and
 * not the cluster's secret, because they face the network.
 *
 *     "gateway " | HMAC-SHA256(key, payload)
 */
export class GatewaySeals {
  readonly #keys: readonly KeyObject[];

  /** @param keys the key that seals, and then those that are accepted too (O55) */
  constructor(keys: readonly [KeyObject, ...KeyObject[]]) {
    this.#keys = keys;
  }

  seal(payload: Uint8Array): Buffer {
    return sealed(this.#keys[0] as KeyObject, payload);
  }

  /** Whether one of the frames in front of the payload is the payload's seal. */
  isSealed(envelope: Envelope, payload: Uint8Array): boolean {
    const seal = envelope.find(
      (frame) =>
        frame.length === mark.length + macBytes && frame.subarray(0, mark.length).equals(mark),
    );
    return (
      seal !== undefined && this.#keys.some((key) => timingSafeEqual(seal, sealed(key, payload)))
    );
  }
}

function sealed(key: KeyObject, payload: Uint8Array): Buffer {
  return Buffer.concat([mark, createHmac("sha256", key).update(payload).digest()]);
}

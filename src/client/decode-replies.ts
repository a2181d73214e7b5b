import { decode } from "../protocol/codec.ts";
import type { Fields } from "../protocol/fields.ts";
import { isMap } from "../protocol/fields.ts";

interface ReceivedReply {
  readonly service: unknown;
  readonly data: Fields;
}

/** Decodes a payload's replies. Bytes that can't be decoded count as a reply without fields. */
export function decodeReplies(payload: Uint8Array): ReceivedReply[] {
  let value: unknown;
  try {
    value = decode(payload);
  } catch {
    value = undefined;
  }
  return (Array.isArray(value) ? value : [value]).map((reply: unknown) => {
    const { service, data } = isMap(reply) ? reply : {};
    return { service, data: isMap(data) ? data : {} };
  });
}

import type { Entry } from "../../protocol/publications.ts";
import { Recent } from "../../protocol/recent.ts";
import { covers, type Vector } from "../../protocol/vector.ts";
import type { ConversationText, GatewayFrame } from "../core/frames.ts";
import { writePosition } from "../position.ts";
import { textFrame } from "./text-frame.ts";

interface Encoded {
  readonly conversation: ConversationText;
  readonly entry: Entry;
  readonly place: Vector;
  readonly bytes: Buffer;
}

const remembered = 256;

/**
 * Encodes the frames of messages. Clients that are at the same place of a conversation share the
 * bytes, so a message to a thousand clients is encoded once.
 */
export class MessageFrames {
  /** The newest frames by `seq`. */
  readonly #encoded = new Recent<number, Encoded>(remembered);

  of(conversation: ConversationText, entry: Entry, place: Vector): Buffer {
    const found = this.#encoded.get(entry.seq);
    if (found !== undefined && found.conversation === conversation && isSame(found.entry, entry)) {
      if (covers(found.place, place) && covers(place, found.place)) return found.bytes;
    }
    const position = writePosition(place);
    const frame: GatewayFrame = { type: "message", conversation, entry, position };
    const bytes = textFrame(JSON.stringify(frame));
    this.#encoded.set(entry.seq, { conversation, entry, place: { ...place }, bytes });
    return bytes;
  }
}

/** Whether two entries are one event's. In an open cluster, anybody may forge an entry. */
function isSame(one: Entry, other: Entry): boolean {
  for (const key in one) {
    if (one[key as keyof Entry] !== other[key as keyof Entry]) return false;
  }
  return true;
}

import type { Digest } from "../../src/protocol/event.ts";
import type { Chain } from "../../src/protocol/ids.ts";

/** Hashes that are fast instead of strong, because nobody forges in a simulation. */
export const quickDigest: Digest = {
  chain: (previous, text) => {
    const [a, b] = mix(previous + text);
    return (hex(a) + hex(b) + hex(a ^ 0x5bd1e995) + hex(b ^ 0x1b873593)) as Chain;
  },
  checksum: (text) => hex(mix(text)[0]),
};

/** Two hashes of a text, like FNV-1a over UTF-16 units. */
function mix(text: string): [number, number] {
  let a = 0x811c9dc5;
  let b = 0x01000193;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    a = Math.imul(a ^ unit, 0x01000193);
    b = Math.imul(b ^ unit, 0x85ebca6b);
  }
  return [a >>> 0, b >>> 0];
}

function hex(value: number): string {
  return (value >>> 0).toString(16).padStart(8, "0");
}

import { hash } from "node:crypto";
import { crc32 } from "node:zlib";
import type { Digest } from "../protocol/event.ts";
import type { Chain } from "../protocol/ids.ts";

/** The digest of every real server and client. Only the simulation uses a faster one. */
export const digest: Digest = {
  chain: (previous, text) => hash("sha256", previous + text, "hex").slice(0, 32) as Chain,
  checksum: (text) => crc32(text).toString(16).padStart(8, "0"),
};

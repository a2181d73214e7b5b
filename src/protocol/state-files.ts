/**
 * The entry files of a saved state. Peers ask for a file by its index here. So a new file must come
 * last, and needs a new version of the peer protocol.
 */
export const entryFiles = [
  "users.json",
  "channels.json",
  "accounts.json",
  "messages.json",
  "publications.json",
] as const;

export type EntryFile = (typeof entryFiles)[number];

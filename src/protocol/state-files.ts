/**
 * The files of a saved state's entries. A peer asks for a file by its index, so a new file must be
 * the last, and needs a new version of the peers' protocol.
 */
export const entryFiles = [
  "users.json",
  "channels.json",
  "accounts.json",
  "messages.json",
  "publications.json",
] as const;

export type EntryFile = (typeof entryFiles)[number];

/**
 * Files of a saved state's entries. A peer asks for one by its index here, so a new one goes last
 * of these, with a new version of the peers' protocol.
 */
export const entryFiles = [
  "users.json",
  "channels.json",
  "accounts.json",
  "messages.json",
  "publications.json",
] as const;

export type EntryFile = (typeof entryFiles)[number];

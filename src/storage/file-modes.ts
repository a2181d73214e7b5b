/** Journals and saved states hold credentials: nobody but their owner reads them. */
export const ownerOnly = 0o600;
/** The same for a folder. */
export const ownerOnlyFolder = 0o700;

/** Journals and saved states hold credentials: nobody but their owner reads them. */
export const ownerOnly = 0o600;

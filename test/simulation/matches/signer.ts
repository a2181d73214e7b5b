import type { Signer } from "../../../src/game/core/match-event.ts";
import type { Chain } from "../../../src/protocol/ids.ts";
import type { MatchId } from "../../../src/protocol/matches.ts";
import { quickDigest } from "../quick-digest.ts";

/** Returns the signature of a text; the key is only the match's id, because nobody forges here. */
export function signatureOf(match: MatchId, text: string): string {
  return quickDigest.chain(match as string as Chain, text);
}

export const signer: Signer = {
  sign: signatureOf,
  isSigned: (match, text, signature) => signatureOf(match, text) === signature,
};

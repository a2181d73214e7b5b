import { type Language, type TextOf, textsOf } from "../../texts/texts.ts";
import { en } from "./en.ts";
import { ptBr } from "./pt-br.ts";

/** Returns a text of the trials, with its values filled in. */
export type TrialText = TextOf<typeof en>;

export const trialCatalogues: Readonly<
  Record<Language, Readonly<Record<keyof typeof en, string>>>
> = { en, "pt-br": ptBr };

export function trialTextsIn(language: Language): TrialText {
  return textsOf(trialCatalogues[language]);
}

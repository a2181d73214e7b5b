/** A word to search for, or several words that must follow each other. */
export interface SearchTerm {
  /** The term as the person wrote it, without its marks. */
  readonly text: string;
  /** Its words in lower case, at least one. */
  readonly words: readonly string[];
  /** Whether messages with this term are left out. */
  readonly isUnwanted: boolean;
}

/** Phones write curved quotation marks in place of straight ones. */
const curved = /[“”„]/gu;
const termPattern = /(-?)(?:"([^"]*)"?|([^\s"]+))/gu;
const wordPattern = /[\p{L}\p{M}\p{N}]+/gu;

/**
 * Reads what a person searches for: words, phrases in quotation marks, and a "-" in front of what
 * must be missing. Terms without a letter or digit are left out.
 */
export function readTerms(text: string): readonly SearchTerm[] {
  const terms = [...text.replace(curved, '"').matchAll(termPattern)];
  return terms
    .map(([, minus, phrase, word = ""]) => {
      const term = phrase ?? word;
      return { text: term, words: wordsOf(term), isUnwanted: minus === "-" };
    })
    .filter(({ words }) => words.length > 0);
}

/** Returns a text from which `readTerms` reads the same terms, each in quotation marks. */
export function writeTerms(terms: readonly SearchTerm[]): string {
  return terms.map(({ text, isUnwanted }) => `${isUnwanted ? "-" : ""}"${text}"`).join(" ");
}

/** Returns a function that says whether a text has all wanted terms, and no unwanted one. */
export function matcherOf(terms: readonly SearchTerm[]): (text: string) => boolean {
  const wanted = terms.flatMap(({ words, isUnwanted }) => (isUnwanted ? [] : words));
  const sought = terms.map(({ words, isUnwanted }) => ({ phrase: spaced(words), isUnwanted }));
  return (text) => {
    const lower = text.toLowerCase();
    // Most texts lack a word. To find that out is cheaper than to split the text.
    if (!wanted.every((word) => lower.includes(word))) return false;
    const words = spaced(wordsOf(lower));
    return sought.every(({ phrase, isUnwanted }) => words.includes(phrase) !== isUnwanted);
  };
}

function spaced(words: readonly string[]): string {
  return ` ${words.join(" ")} `;
}

/** The words of a text in lower case. A word is a run of letters and digits. */
function wordsOf(text: string): readonly string[] {
  return text.toLowerCase().match(wordPattern) ?? [];
}

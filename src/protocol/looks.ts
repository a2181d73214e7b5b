import unhomoglyph from "unhomoglyph";

/**
 * The scripts of living languages, each alone, and those that one language writes together, as at
 * the level "highly restrictive" of Unicode's UTS 39. All of them are older than any Node that runs
 * this.
 */
const scripts = `
  Latin+Han+Hiragana+Katakana Latin+Han+Bopomofo Latin+Han+Hangul
  Adlam Arabic Armenian Balinese Bamum Batak Bengali Canadian_Aboriginal Chakma Cham Cherokee
  Coptic Cyrillic Devanagari Ethiopic Georgian Greek Gujarati Gurmukhi Hanifi_Rohingya Hebrew
  Javanese Kannada Kayah_Li Khmer Lao Lepcha Limbu Lisu Malayalam Mandaic Meetei_Mayek Miao
  Mongolian Myanmar New_Tai_Lue Newa Nko Nyiakeng_Puachue_Hmong Ol_Chiki Oriya Osage Saurashtra
  Sinhala Sundanese Syloti_Nagri Syriac Tai_Le Tai_Tham Tai_Viet Tamil Telugu Thaana Thai Tibetan
  Tifinagh Vai Wancho Yi`
  .trim()
  .split(/\s+/)
  .map((together) =>
    together
      .split("+")
      .map((script) => `\\p{Script_Extensions=${script}}`)
      .join(""),
  );

/** A letter of one of them. */
const anyScript = new RegExp(`[${scripts.join("")}]`, "u");
const shared = "\\p{Script_Extensions=Common}\\p{Script_Extensions=Inherited}";
const ofOneLanguage = scripts.map((script) => new RegExp(`^[${shared}${script}]*$`, "u"));

const invisible = /\p{Default_Ignorable_Code_Point}/gu;
const dotOverDot = /(?<=[ij])\u0307/gu;

/**
 * What a name looks like, without the difference of capital and small letters: two names that share
 * a look are not told apart by a person. One look is the name in plain letters (NFKC, case folding),
 * the other one with each letter that looks like another replaced by that (Unicode's confusables).
 * "m" stays, beside "rn": in a terminal they differ.
 *
 * Both depend on the Unicode of this process, though only for letters newer than it: what several
 * servers have to agree on must carry the looks that one of them found.
 */
export function looksOf(name: string): readonly string[] {
  const plain = name.replace(invisible, "").normalize("NFKD");
  const looks = [plain, plain.replace(/[^m]+/gu, unhomoglyph)].map(foldCase);
  return looks[0] === looks[1] ? looks.slice(1) : looks;
}

function foldCase(text: string): string {
  return text.toUpperCase().toLowerCase().normalize("NFKD").replace(dotOverDot, "");
}

/**
 * Why nobody may begin to use the name, though it is one: a sentence, for `field`.
 * @returns undefined for almost any name
 */
export function oddityOf(name: string, field: string): string | undefined {
  if (name.search(invisible) >= 0) return `\`${field}\` holds a character that nobody sees.`;
  if (!anyScript.test(name) || ofOneLanguage.some((script) => script.test(name))) return undefined;
  return `\`${field}\` mixes letters of several scripts, which look alike.`;
}

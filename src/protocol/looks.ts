import unhomoglyph from "unhomoglyph";

/**
 * The scripts of living languages, and the combinations of scripts that one language uses. Source:
 * the level "highly restrictive" of Unicode's UTS 39. Every supported version of Node knows all of
 * these scripts.
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

const anyScript = new RegExp(`[${scripts.join("")}]`, "u");
const shared = "\\p{Script_Extensions=Common}\\p{Script_Extensions=Inherited}";
const ofOneLanguage = scripts.map((script) => new RegExp(`^[${shared}${script}]*$`, "u"));

const invisible = /\p{Default_Ignorable_Code_Point}/gu;
/**
 * Matches any invisible character except the joiners, which the gate allows only where a script
 * needs them.
 */
const invisibleButJoiners = /[^\P{Default_Ignorable_Code_Point}\u200c\u200d]/u;
/**
 * Matches letters that only stretch or repeat other letters; no identifier may contain one (RFC
 * 5892, section 2.6).
 */
const stretching = /[\u0640\u07fa\u302e\u302f\u3031-\u3035\u303b]/u;
const dotOverDot = /(?<=[ij])\u0307/gu;

/**
 * Returns the looks of a name in lower case: readers confuse two names that share a look. The first
 * look is the name in plain letters (NFKC, case folding). In the second look, a similar letter
 * replaces each letter (Unicode's confusables). Unicode also replaces "m" by "rn"; this function
 * does not, because a terminal shows them differently.
 *
 * A letter newer than this process's Unicode may have other looks at another server. So if servers
 * must agree on the looks of a name, the name's event contains the looks that the event's origin
 * computed.
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
 * Checks a valid name before it becomes the name of a new user or channel (W18).
 * @returns a sentence about `field` that says why the name is refused; undefined if the name is
 * allowed
 */
export function oddityOf(name: string, field: string): string | undefined {
  if (invisibleButJoiners.test(name)) return `\`${field}\` holds an invisible character.`;
  if (stretching.test(name)) return `\`${field}\` holds a letter that only stretches others.`;
  if (!anyScript.test(name) || ofOneLanguage.some((script) => script.test(name))) return undefined;
  return `\`${field}\` mixes letters of several scripts, which look alike.`;
}

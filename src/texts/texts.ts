import { type Catalogue, en } from "./en.ts";
import { ptBr } from "./pt-br.ts";

/**
 * The names of a text's placeholders, such as `name` for `{name}`. A brace before a quote is part
 * of an example of JSON, and not a placeholder.
 */
type Placeholders<T extends string> = T extends `${string}{${infer Name}}${infer Rest}`
  ? (Name extends `"${string}` ? never : Name) | Placeholders<Rest>
  : never;

type Words = Readonly<Record<string, string>>;

type Values<English extends Words, Key extends keyof English> =
  Placeholders<English[Key]> extends never
    ? []
    : [values: Readonly<Record<Placeholders<English[Key]>, string | number>>];

/** Returns a text in the chosen language, with its values filled in. */
export type TextOf<English extends Words> = <Key extends keyof English>(
  key: Key,
  ...values: Values<English, Key>
) => string;

export type Text = TextOf<typeof en>;

/** The texts whose keys begin with a prefix: the rest of each key, and the text's values. */
export type TextGroup<Prefix extends string> = {
  [Key in keyof typeof en as Key extends `${Prefix}.${infer Name}` ? Name : never]: Readonly<
    Record<Placeholders<(typeof en)[Key]>, string | number>
  >;
};

export const languages = ["en", "pt-br"] as const;
export type Language = (typeof languages)[number];

export const catalogues: Readonly<Record<Language, Catalogue>> = { en, "pt-br": ptBr };

export function textsIn(language: Language): Text {
  return textsOf(catalogues[language]);
}

/** @param catalogue the texts of one language, with the keys and placeholders of `English` */
export function textsOf<English extends Words>(
  catalogue: Readonly<Record<keyof English, string>>,
): TextOf<English> {
  return (key, ...[values]) => {
    const given: Readonly<Record<string, string | number>> = values ?? {};
    return catalogue[key].replace(/\{(\w+)\}/g, (hole, name: string) =>
      String(given[name] ?? hole),
    );
  };
}

/**
 * Returns the language of a name such as `pt_BR.UTF-8`, `pt-br` or `pt`; undefined if the name is
 * neither Portuguese nor English.
 */
export function languageOf(name: string): Language | undefined {
  const tag = name
    .toLowerCase()
    .replace("_", "-")
    .replace(/[.@].*$/, "");
  if (tag === "pt" || tag.startsWith("pt-")) return "pt-br";
  return tag === "en" || tag.startsWith("en-") ? "en" : undefined;
}

/**
 *
 * Returns the language that `--lang` names, else TERTULIA_LANG, else the environment's locale.
 * Returns English if none of them is set, or if the first that is set names another language.
 * @param flag the value of `--lang`; undefined without this flag
 */
export function chooseLanguage(
  flag: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Language {
  const { TERTULIA_LANG, LC_ALL, LC_MESSAGES, LANG } = env;
  const said = [flag, TERTULIA_LANG, LC_ALL, LC_MESSAGES, LANG].find((name) => name);
  return languageOf(said ?? "en") ?? "en";
}

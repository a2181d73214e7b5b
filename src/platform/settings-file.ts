import { dirname, resolve } from "node:path";
import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml";
import { decodePlainText, plainText } from "../protocol/plain-text.ts";
import { errorCode, Problem } from "./problem.ts";
import { flagOf, parsed, rows, type SettingName, type SettingValues } from "./settings.ts";
import { readShortFile } from "./short-file.ts";

/** The names of the settings in a file: those of the flags, without the dashes in front. */
const names: ReadonlyMap<string, SettingName> = new Map(
  (Object.keys(rows) as SettingName[])
    .filter((name) => name !== "config")
    .map((name) => [flagOf(name).slice("--".length), name]),
);

/** The settings of a file: those of all commands, and those of one role only. */
export interface SettingsFile {
  readonly common: SettingValues;
  /** By the name of the role. */
  readonly roles: ReadonlyMap<string, SettingValues>;
}

/**
 * Reads a settings file in YAML. All its values are checked, also those that the caller does not
 * need.
 * @param roles the names that the section `roles` may have
 * @throws Problem (exit code 2) that names the file and the line
 */
export function readSettingsFile(path: string, roles: readonly string[]): SettingsFile {
  const file = new File(path);
  const common = new Map(file.root);
  const section = common.get("roles");
  common.delete("roles");
  const byRole = section === undefined ? [] : [...file.entriesOf(section, "roles")];
  return {
    common: file.settings(common),
    roles: new Map(
      byRole.map(([role, at]) => {
        if (!roles.includes(role)) {
          throw file.problem(at.key, `"${role}" is no role: write one of ${roles.join(", ")}`);
        }
        return [role, file.settings(file.entriesOf(at, role))];
      }),
    ),
  };
}

interface Entry {
  readonly key: Node;
  readonly value: unknown;
}
type Entries = ReadonlyMap<string, Entry>;

/** One file while it is read, which can tell the line of each node. */
class File {
  readonly root: Entries;
  readonly #path: string;
  readonly #lines = new LineCounter();

  constructor(path: string) {
    this.#path = path;
    // In this schema every value is text, which the settings parse by themselves.
    const { contents, errors } = parseDocument(textOf(path), {
      schema: "failsafe",
      prettyErrors: false,
      lineCounter: this.#lines,
    });
    const [first] = errors;
    if (first !== undefined) {
      const isTwice = first.code === "DUPLICATE_KEY";
      const why = isTwice ? "this key is set twice" : `this is no valid YAML (${first.message})`;
      throw this.#problemAt(first.pos[0], `${why}: correct it`);
    }
    const isEmpty = contents === null || (isScalar(contents) && contents.value === "");
    this.root = isEmpty ? new Map() : this.#entries(contents, "the file");
  }

  problem(node: Node, why: string): Problem {
    return this.#problemAt(node.range?.[0] ?? 0, why);
  }

  entriesOf({ key, value }: Entry, name: string): Entries {
    return this.#entries(value, `"${name}"`, key);
  }

  settings(entries: Entries): SettingValues {
    return Object.fromEntries([...entries].map(([key, entry]) => this.#setting(key, entry)));
  }

  #entries(node: unknown, what: string, place?: Node): Entries {
    if (!isMap(node)) {
      throw this.#problemAt(
        place?.range?.[0] ?? 0,
        `${what} needs lines of the form \`key: value\``,
      );
    }
    return new Map(
      node.items.map(({ key, value }) => {
        if (isScalar(key)) return [String(key.value), { key, value }];
        throw this.problem(node, `a key in ${what} is no text: write the name of a setting`);
      }),
    );
  }

  #setting(key: string, { key: place, value }: Entry): [SettingName, string] {
    if (key === "secret") {
      throw this.problem(place, "the secret does not belong here: name its file by `secret-file`");
    }
    const name = names.get(key);
    if (name === undefined) {
      throw this.problem(place, `"${key}" is no setting: \`tertulia config\` lists the settings`);
    }
    if (isSeq(value) && !isList(name)) {
      throw this.problem(place, `"${key}" takes a single value, and not a list`);
    }
    const items = isSeq(value) ? value.items : [value];
    const texts = items.map((item) => (isScalar(item) ? plainText(String(item.value)) : ""));
    if (texts.length === 0 || texts.includes("")) {
      throw this.problem(place, `"${key}" needs a value, or a list of values`);
    }
    const text = texts.join(",");
    parsed(
      `${this.#place(place.range?.[0] ?? 0)}: ${key}`,
      text,
      rows[name].parse as (text: string) => unknown,
    );
    return [name, isPath(name) ? resolve(dirname(this.#path), text) : text];
  }

  #problemAt(offset: number, why: string): Problem {
    return new Problem(`${this.#place(offset)}: ${why}.`, 2);
  }

  #place(offset: number): string {
    return `${this.#path}:${this.#lines.linePos(offset).line}`;
  }
}

function isList(name: SettingName): boolean {
  return ["endpoints", "addresses"].includes(rows[name].value);
}

function isPath(name: SettingName): boolean {
  return ["file", "folder"].includes(rows[name].value);
}

function textOf(path: string): string {
  try {
    return decodePlainText(readShortFile(path).bytes);
  } catch (error) {
    const why = errorCode(error) ?? (error as Error).message;
    const way = "name a file by --config or TERTULIA_CONFIG that this user may read";
    throw new Problem(`The settings file "${path}" can't be read (${why}): ${way}.`, 2);
  }
}

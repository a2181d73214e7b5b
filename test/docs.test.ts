import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { rows } from "../src/platform/settings.ts";
import { errorCodes } from "../src/protocol/errors.ts";
import { durations, limits } from "../src/protocol/limits.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const read = (path: string) => readFileSync(join(root, path), "utf8");
const filesIn = (folder: string) => {
  const paths = readdirSync(join(root, folder), { recursive: true, encoding: "utf8" });
  return paths
    .map((path) => join(folder, path).replaceAll("\\", "/"))
    .filter((path) => !path.includes("/node_modules/"));
};

/** The cells of all table rows whose first cell is a name in backticks. */
function tableRows(text: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const line of text.split("\n")) {
    const cells = line.split("|").map((cell) => cell.trim());
    const name = /^`(\w+)`$/.exec(cells[1] ?? "")?.[1];
    if (name !== undefined) found.set(name, cells.slice(2));
  }
  return found;
}

describe("docs/protocol.md", () => {
  const table = tableRows(read("docs/protocol.md"));

  test.each(Object.entries({ ...limits, ...durations }))(
    "docs/protocol.md has the limit %s with its value",
    (name, value) => {
      expect(table.get(name)?.[0]).toBe(String(value));
    },
  );

  test.each(Object.keys(errorCodes))("docs/protocol.md explains the error code %s", (code) => {
    expect(table.has(code)).toBe(true);
  });
});

test.each(Object.values(rows).map(({ env }) => env))(
  "docs/operations.md names the setting %s",
  (env) => expect(read("docs/operations.md")).toContain(env),
);

/**
 * The pages that must be true of today's code. A decision describes the code of its own day, so
 * only its links are checked.
 */
const pages = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", ...filesIn("docs")]
  .filter((page) => page.endsWith(".md"))
  .map((page) => ({ page, text: read(page), isHistory: page.startsWith("docs/decisions/") }));
const current = pages.filter(({ isHistory }) => !isHistory);
const code = ["src", "test", "bench"].flatMap(filesIn);
const sources = code.filter((path) => path.endsWith(".ts"));
const textOf = new Map(sources.map((path) => [path, read(path)]));
const tests = sources.filter((path) => path.startsWith("test/")).map((path) => textOf.get(path));

/** The texts in backticks, without those in blocks of code. */
function quoted(text: string): string[] {
  const prose = text.replace(/^ *```[\s\S]*?^ *```/gm, "");
  return [...prose.matchAll(/`([^`]+)`/g)].map(([, span = ""]) => span.replace(/\s+/g, " "));
}

/** One sentence for each span in backticks, on any page, for which `isRotten` is true. */
function rotten(isRotten: (span: string) => boolean): string[] {
  return current.flatMap(({ page, text }) => {
    return quoted(text)
      .filter(isRotten)
      .map((span) => `${page} cites \`${span}\``);
  });
}

/** The files whose whole path, or its end, is the cited path, such as `core/ledger.ts`. */
function filesNamed(cited: string): string[] {
  const end = cited.replaceAll(".", "\\.").replaceAll("*", "[^/]*");
  return code.filter((path) => new RegExp(`(^|/)${end}$`).test(path));
}

/** The text of each class or interface with this name, in all files. */
function bodiesOf(type: string): string[] {
  const declared = new RegExp(`^(?:export )?(?:class|interface) ${type}\\b[^]*?^}`, "gm");
  return [...textOf.values()].flatMap((text) => text.match(declared) ?? []);
}

describe("citations in the docs", () => {
  test("the docs cite more than 50 files and more than 10 members of classes", () => {
    const spans = current.flatMap(({ text }) => quoted(text));
    expect(spans.filter((span) => /\.ts$/.test(span)).length).toBeGreaterThan(50);
    expect(spans.filter((span) => /^[A-Z]\w+\.#?\w+$/.test(span)).length).toBeGreaterThan(10);
  });

  test("files and folders that the docs cite exist", () => {
    const isFile = /^[\w.*/-]+\.ts$/;
    const isPath = /^(?:src|test|docs|bench)\/[\w./*-]+$/;
    expect(
      rotten((span) => {
        if (isFile.test(span)) return filesNamed(span).length === 0;
        return isPath.test(span) && !span.includes("*") && !existsSync(join(root, span));
      }),
    ).toEqual([]);
  });

  test("members that the docs cite exist in their class or interface", () => {
    expect(
      rotten((span) => {
        const [, type, member] = /^([A-Z]\w+)\.(#?\w+)(?:\(\))?$/.exec(span) ?? [];
        if (type === undefined || type in globalThis) return false;
        const declared = new RegExp(`^ +(?:[a-z]+ )*\\*?${member}[?!]?[(<:;= ]`, "m");
        return !bodiesOf(type).some((body) => declared.test(body));
      }),
    ).toEqual([]);
  });

  test("names that the docs cite in a file are in that file", () => {
    const names = "(?:`#?\\w+`(?:, and |, | and ))*`#?\\w+`";
    const cited = new RegExp(`(${names})\\s+in\\s+\`([\\w./-]+\\.ts)\``, "g");
    const wrong = current.flatMap(({ page, text }) => {
      return [...text.matchAll(cited)].flatMap(([, list = "", file = ""]) => {
        const texts = filesNamed(file).map((path) => textOf.get(path) ?? "");
        return quoted(list)
          .filter((name) => !texts.some((text) => new RegExp(`\\b${name}\\b`).test(text)))
          .map((name) => `${page} cites \`${name}\` in \`${file}\``);
      });
    });
    expect(wrong).toEqual([]);
  });

  test("links in the docs lead to pages and headings that exist", () => {
    const wrong = pages.flatMap(({ page, text }) => {
      return [...text.matchAll(/\]\(([^)\s:]*)\)/g)].flatMap(([, link = ""]) => {
        const [path = "", heading] = link.split("#");
        const target = path === "" ? page : normalize(join(dirname(page), path));
        if (!existsSync(join(root, target))) return [`${page} links to ${link}`];
        if (heading === undefined) return [];
        return anchors(read(target)).includes(heading) ? [] : [`${page} links to ${link}`];
      });
    });
    expect(wrong).toEqual([]);
  });

  /** The anchors that GitHub makes of the headings. */
  function anchors(text: string): string[] {
    return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) => {
      const plain = heading.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, "");
      return plain.replaceAll(" ", "-");
    });
  }

  /**
   * Titles are cited after *Shown by*, in the last cell of a threat, or anywhere together with
   * their rule.
   */
  const titles = current.flatMap(({ page, text }) => {
    const threats = page === "docs/security.md" ? text.matchAll(/^\|.*\|.*\|(.*)\|$/gm) : [];
    const shown = text.matchAll(/\*Shown by\*(.*?)(?=\n\s*\n|\n- |$)/gs);
    const proofs = [...threats, ...shown].flatMap(([, proof = ""]) => quoted(proof));
    const ruled = quoted(text).filter((span) => /^\[[A-Z]\d+\] /.test(span));
    return [...ruled, ...proofs.filter((span) => !/^(?:test|src)\/|^npm |\.ts$/.test(span))];
  });

  test("the docs cite more than 100 test titles", () => {
    expect(titles.length).toBeGreaterThan(100);
  });

  test.each([...new Set(titles)])("a test has the title that the docs cite: %s", (title) => {
    // A title may be a template, so only the text before its first placeholder is compared.
    const beginning = title.split(/[%$(…]/)[0]?.trimEnd() ?? title;
    expect(tests.some((text) => text?.includes(beginning))).toBe(true);
  });
});

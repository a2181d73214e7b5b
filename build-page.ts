import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build, type Plugin } from "esbuild";
import { catalogues } from "./src/texts/texts.ts";

/**
 * Builds the gateway's pages into `dist/`: the chat, and matches of cards. Each page has one script
 * and one style, so that a browser loads only what the page needs.
 */

const from = join(import.meta.dirname, "src", "gateway", "web");
const to = join(import.meta.dirname, "dist", "gateway", "web");

/** A page shows only these texts, and a browser should not load those of the command line. */
const pages = [
  {
    page: "index.html",
    parts: ["main.tsx", "style.css"],
    shown: /^(?:error|reason|chat|page|cluster|status|trace)\./,
  },
  {
    page: "duel.html",
    parts: ["duel.tsx", "duel.css"],
    shown: /^(?:error|reason|card|rarity|attribute|table|duel)\.|^page\.(?:logIn|[ic]\w+)$|toChat/,
  },
];

const onlyTexts = (shown: RegExp): Plugin => ({
  name: "only the texts that the page shows",
  setup: ({ onLoad }) =>
    onLoad({ filter: /\/src\/texts\/(?:en|pt-br)\.ts$/ }, ({ path }) => {
      const [name, all] = path.endsWith("/en.ts")
        ? ["en", catalogues.en]
        : ["ptBr", catalogues["pt-br"]];
      const texts = Object.fromEntries(Object.entries(all).filter(([key]) => shown.test(key)));
      return { contents: `export const ${name} = ${JSON.stringify(texts)};` };
    }),
});

rmSync(to, { recursive: true, force: true });
mkdirSync(to, { recursive: true });

// A file with its content's hash in its name can be kept for ever, and an old page keeps working.
const named = (name: string, bytes: Uint8Array) => {
  const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 12);
  const hashed = name.replace(".", `-${hash}.`);
  writeFileSync(join(to, hashed), bytes);
  return `/assets/${hashed}`;
};

const icon = named("icon.svg", readFileSync(join(from, "icon.svg")));
const manifest = readFileSync(join(from, "manifest.webmanifest"), "utf8");
const shared = {
  "icon.svg": icon,
  "manifest.webmanifest": named(
    "manifest.webmanifest",
    Buffer.from(manifest.replaceAll("/icon.svg", icon)),
  ),
};

for (const { page, parts, shown } of pages) {
  const { outputFiles } = await build({
    entryPoints: parts.map((part) => join(from, part)),
    bundle: true,
    minify: true,
    format: "esm",
    target: ["es2022", "chrome112", "firefox115", "safari16.4"],
    jsx: "automatic",
    jsxImportSource: "preact",
    plugins: [onlyTexts(shown)],
    outdir: to,
    write: false,
  });
  const built = outputFiles.map(({ path, contents }) => {
    const name = path.slice(to.length + 1);
    return [name, named(name, contents)] as const;
  });
  let html = readFileSync(join(from, page), "utf8");
  for (const [name, path] of [...Object.entries(shared), ...built]) {
    html = html.replaceAll(`"/${name}"`, `"${path}"`);
  }
  writeFileSync(join(to, page), html);
}

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build, type Plugin } from "esbuild";
import { catalogues } from "./src/texts/texts.ts";

/** Builds the gateway's page into `dist/`: one script, one style, and what the page names. */

const from = join(import.meta.dirname, "src", "gateway", "web");
const to = join(import.meta.dirname, "dist", "gateway", "web");

/** The page shows only these texts, and a browser should not load those of the command line. */
const shown = /^(?:error|reason|chat|page|cluster|status|trace)\./;

const onlyShownTexts: Plugin = {
  name: "only the texts that the page shows",
  setup: ({ onLoad }) =>
    onLoad({ filter: /\/src\/texts\/(?:en|pt-br)\.ts$/ }, ({ path }) => {
      const [name, all] = path.endsWith("/en.ts")
        ? ["en", catalogues.en]
        : ["ptBr", catalogues["pt-br"]];
      const texts = Object.fromEntries(Object.entries(all).filter(([key]) => shown.test(key)));
      return { contents: `export const ${name} = ${JSON.stringify(texts)};` };
    }),
};

rmSync(to, { recursive: true, force: true });
mkdirSync(to, { recursive: true });

const { outputFiles } = await build({
  entryPoints: [join(from, "main.tsx"), join(from, "style.css")],
  bundle: true,
  minify: true,
  format: "esm",
  target: ["es2022", "chrome112", "firefox115", "safari16.4"],
  jsx: "automatic",
  jsxImportSource: "preact",
  plugins: [onlyShownTexts],
  outdir: to,
  write: false,
});

// A file with its content's hash in its name can be kept for ever, and an old page keeps working.
let html = readFileSync(join(from, "index.html"), "utf8");
const named = (name: string, bytes: Uint8Array) => {
  const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 12);
  const hashed = name.replace(".", `-${hash}.`);
  writeFileSync(join(to, hashed), bytes);
  html = html.replaceAll(`"/${name}"`, `"/assets/${hashed}"`);
  return `/assets/${hashed}`;
};
for (const { path, contents } of outputFiles) named(path.slice(to.length + 1), contents);
const icon = named("icon.svg", readFileSync(join(from, "icon.svg")));
const manifest = readFileSync(join(from, "manifest.webmanifest"), "utf8");
named("manifest.webmanifest", Buffer.from(manifest.replaceAll("/icon.svg", icon)));
writeFileSync(join(to, "index.html"), html);

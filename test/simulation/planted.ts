import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "esbuild";
import type { Edit, Mutation } from "./mutations.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** A program in one file, which is removed with the folder that it is in. */
interface Planted extends Disposable {
  readonly folder: string;
  readonly program: string;
}

/**
 * Compiles a program together with the code that it tests, and plants a mutation in that code. The
 * program's folder is inside the project, so that packages are found.
 * @param entry the program's source, below the project's folder
 * @throws Error if a text to replace is not in its file exactly once
 */
export async function plant(
  { name, edits }: Pick<Mutation, "name" | "edits">,
  entry = "test/simulation/worker.ts",
): Promise<Planted> {
  const words = name.replace(/[^a-z]+/g, "-");
  const folder = join(root, ".mutants", `${words}-${process.pid}`);
  // Node 20 runs no TypeScript, so programs end in `.mjs`; vitest needs `.test.ts`.
  const program = join(folder, entry.replace(/(?<!\.test)\.ts$/, ".mjs"));
  const planted = {
    folder,
    program,
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
  try {
    const done = new Set<Edit>();
    await build({
      entryPoints: [join(root, entry)],
      outfile: program,
      bundle: true,
      packages: "external",
      platform: "node",
      format: "esm",
      target: "node20",
      sourcemap: "inline",
      logLevel: "silent",
      plugins: [mutated(edits, done)],
    });
    for (const edit of edits) {
      if (!done.has(edit)) throw new Error(`${name}: ${entry} does not use ${edit.file}`);
    }
  } catch (error) {
    planted[Symbol.dispose]();
    throw error;
  }
  return planted;
}

function mutated(edits: readonly Edit[], done: Set<Edit>): Plugin {
  return {
    name: "a planted mutation",
    setup: ({ onLoad }) =>
      onLoad({ filter: /\.ts$/ }, ({ path }) => {
        const own = edits.filter(({ file }) => path === join(root, "src", file));
        if (own.length === 0) return undefined;
        let source = readFileSync(path, "utf8");
        for (const edit of own) {
          const parts = source.split(edit.text);
          if (parts.length !== 2) {
            const times = parts.length - 1;
            throw new Error(
              `in ${edit.file} this text occurs ${times} times, not once: ${edit.text}`,
            );
          }
          source = parts.join(edit.by);
          done.add(edit);
        }
        return { contents: source, loader: "ts" };
      }),
  };
}

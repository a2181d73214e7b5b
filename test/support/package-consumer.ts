import { execFileSync } from "node:child_process";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const packageRoot = fileURLToPath(new URL("../..", import.meta.url));
const compiler = join(packageRoot, "node_modules", "typescript", "bin", "tsc");

/** Another author's program: a folder with the package among its dependencies. */
export class PackageConsumer {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /**
   * Packs the package as npm does and installs it without a network; its dependencies are links to
   * ours.
   */
  static async install(folder: string): Promise<PackageConsumer> {
    const run = (command: string, ...args: string[]) =>
      execFileSync(command, args, { cwd: packageRoot, encoding: "utf8" });
    const [{ filename }] = JSON.parse(
      run("npm", "pack", "--json", "--ignore-scripts", "--pack-destination", folder),
    );
    const modules = join(folder, "node_modules");
    await mkdir(join(modules, "tertulia"), { recursive: true });
    run("tar", "-xzf", join(folder, filename), "-C", join(modules, "tertulia"), "--strip=1");
    const { dependencies } = JSON.parse(await readFile(join(packageRoot, "package.json"), "utf8"));
    for (const name of [...Object.keys(dependencies), "@types/node", "undici-types"]) {
      await mkdir(dirname(join(modules, name)), { recursive: true });
      await symlink(join(packageRoot, "node_modules", name), join(modules, name));
    }
    await writeFile(join(folder, "package.json"), '{ "type": "module" }');
    return new PackageConsumer(folder);
  }

  /** Compiles a program and checks all of the package's types. @returns the compiler's errors */
  async compile(name: string, program: string): Promise<string> {
    await writeFile(join(this.folder, `${name}.ts`), program);
    const compilerOptions = {
      ...{ module: "nodenext", target: "es2023", lib: ["es2023", "esnext.disposable"] },
      ...{ strict: true, skipLibCheck: false, types: ["node"] },
    };
    const config = join(this.folder, "tsconfig.json");
    await writeFile(config, JSON.stringify({ compilerOptions, files: [`${name}.ts`] }));
    try {
      const options = { cwd: this.folder, encoding: "utf8" } as const;
      return execFileSync(process.execPath, [compiler, "-p", config], options);
    } catch (error) {
      return String((error as { stdout?: unknown }).stdout);
    }
  }

  /** Runs a compiled program. @returns its output, once it has ended */
  run(name: string): string {
    const options = { cwd: this.folder, encoding: "utf8", timeout: 60_000 } as const;
    return execFileSync(process.execPath, [`${name}.js`], options);
  }
}

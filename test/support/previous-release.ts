import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { LocalCluster } from "../../src/trials/local-cluster.ts";

type ClientLibrary = typeof import("../../src/client/index.ts");

/** The release before this version, as the changelog names it. */
export interface PreviousRelease {
  readonly version: string;
  /** The hash of the release's commit: 40 hex digits. */
  readonly commit: string;
}

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Returns the newest release of the changelog, the first whose heading is followed by a commit. */
function newestRelease(): PreviousRelease {
  const text = readFileSync(join(root, "CHANGELOG.md"), "utf8");
  const [, version, commit] = /^## (\S+), .*\n\nCommit `([0-9a-f]{40})`/m.exec(text) ?? [];
  if (version === undefined || commit === undefined) throw new Error("no release has a commit");
  return { version, commit };
}

export const previousRelease = newestRelease();

/** A sentence that says why the previous release can't be tested here; empty if it can. */
export const whyNotBuilt = whyNot();

function whyNot(): string {
  if (LocalCluster.hasEngine) return " (skipped: the release knows no engine)";
  if (hasCommit()) return "";
  return ` (skipped: this clone lacks commit ${previousRelease.commit}; git fetch --unshallow)`;
}

function hasCommit(): boolean {
  try {
    const object = `${previousRelease.commit}^{commit}`;
    execFileSync("git", ["cat-file", "-e", object], { cwd: root, stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** Builds the previous release with the installed packages. @returns the folder of its files */
export function buildPreviousRelease(): string {
  const folder = join(root, "node_modules/.cache/tertulia", previousRelease.commit);
  if (existsSync(folder)) return folder;
  mkdirSync(dirname(folder), { recursive: true });
  // Another test may build the release at the same time, so each builds in a folder of its own.
  const own = mkdtempSync(`${folder}-`);
  try {
    const paths = ["src", "package.json", "tsconfig.json", "tsconfig.build.json"];
    const archive = execFileSync("git", ["archive", previousRelease.commit, ...paths], {
      cwd: root,
      maxBuffer: 2 ** 28,
    });
    execFileSync("tar", ["x", "-C", own], { input: archive });
    const tsc = join(root, "node_modules/.bin/tsc");
    execFileSync(tsc, ["-p", join(own, "tsconfig.build.json")], { cwd: root });
    if (!existsSync(folder)) renameSync(own, folder);
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
  return folder;
}

/** Returns the path of a release's executable. */
export function programOf(folder: string): string {
  return join(folder, "dist/cli.js");
}

/** Loads the client library of a release. */
export async function clientLibraryOf(folder: string): Promise<ClientLibrary> {
  return (await import(join(folder, "dist/client/index.js"))) as ClientLibrary;
}

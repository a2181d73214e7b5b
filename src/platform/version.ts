import { readFileSync } from "node:fs";

interface Package {
  readonly version: string;
  readonly engines: { readonly node: string };
}

/** Returns the version of this program, from its `package.json`. */
export function ownVersion(): string {
  return ownPackage().version;
}

/** Returns the lowest version of Node on which this program runs. */
export function leastNodeVersion(): string {
  return ownPackage().engines.node.replace(/^>=\s*/, "");
}

function ownPackage(): Package {
  const file = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return JSON.parse(file) as Package;
}

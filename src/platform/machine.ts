import { readFileSync } from "node:fs";
import { networkInterfaces, totalmem } from "node:os";

/** The version of Node that runs this process. */
export const nodeVersion: string = process.versions.node;

/** The number of the user who runs this process; 0 for root, and where users have no numbers. */
export function userNumber(): number {
  return process.geteuid?.() ?? 0;
}

/** Returns the machine's memory in bytes, or the container's limit if that is lower. */
export function memoryBytes(): number {
  // Without a limit the system tells 0, or a number far above the memory.
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

/**
 * Returns the most files and connections that this process can have open. Node has raised the limit
 * as far as the system allows. @returns undefined if the system does not tell
 */
export function mostOpenFiles(): number | undefined {
  try {
    const text = readFileSync("/proc/self/limits", "utf8");
    const [, limit] = /^Max open files +(\S+)/m.exec(text) ?? [];
    return limit === "unlimited" ? Number.MAX_SAFE_INTEGER : Number(limit) || undefined;
  } catch {
    return undefined;
  }
}

/** Returns whether an IP address is one of this machine's. */
export function isOwnAddress(address: string): boolean {
  if (address.startsWith("127.")) return true;
  const own = Object.values(networkInterfaces()).flatMap((addresses = []) => addresses);
  return own.some((one) => one.address === address);
}

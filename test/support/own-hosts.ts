import { spawnSync } from "node:child_process";

/**
 * Whether a test can give a process its own hosts file: on Linux, as root or with user namespaces.
 */
export const canHaveHosts =
  spawnSync("unshare", ["-rm", "mount", "--bind", "/etc/hosts", "/etc/hosts"]).status === 0;

/**
 * Returns a command that runs `command` with another content of `/etc/hosts`: that of the file,
 * also after the file is written again.
 */
export function withHosts(file: string, command: readonly string[]): [string, ...string[]] {
  const script = 'mount --bind "$0" /etc/hosts && exec "$@"';
  return ["unshare", "-rm", "sh", "-c", script, file, ...command];
}

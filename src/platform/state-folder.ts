import { userInfo } from "node:os";
import { isAbsolute, join } from "node:path";

/**
 * Where a person's programs keep what must last from one run to the next. A variable whose path is
 * not absolute counts as not set (XDG Base Directory Specification).
 * @returns undefined if neither the environment nor the system names a folder
 */
export function stateFolder(): string | undefined {
  const { XDG_STATE_HOME = "", HOME = "" } = process.env;
  if (isAbsolute(XDG_STATE_HOME)) return join(XDG_STATE_HOME, "tertulia");
  const home = [HOME, homeOfSystem()].find((folder) => isAbsolute(folder));
  return home === undefined ? undefined : join(home, ".local", "state", "tertulia");
}

/** Empty for a user that the system does not know. */
function homeOfSystem(): string {
  try {
    return userInfo().homedir;
  } catch {
    return "";
  }
}

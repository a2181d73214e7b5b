import { userInfo } from "node:os";
import { isAbsolute, join } from "node:path";

/**
 * Returns the folder for a user's sessions and chats. A variable whose path is not absolute counts
 * as unset (XDG Base Directory Specification).
 * @returns undefined if neither the environment nor the system names a folder
 */
export function stateFolder(): string | undefined {
  const { XDG_STATE_HOME = "", HOME = "" } = process.env;
  if (isAbsolute(XDG_STATE_HOME)) return join(XDG_STATE_HOME, "tertulia");
  const home = [HOME, homeOfSystem()].find((folder) => isAbsolute(folder));
  return home === undefined ? undefined : join(home, ".local", "state", "tertulia");
}

/** Returns the home folder by the system's user database; empty if the user is unknown. */
function homeOfSystem(): string {
  try {
    return userInfo().homedir;
  } catch {
    return "";
  }
}

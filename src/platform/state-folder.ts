import { userInfo } from "node:os";
import { isAbsolute, join } from "node:path";

/**
 * The folder for a person's sessions and chats, which outlive a run. A variable counts as not set
 * if its path is not absolute (XDG Base Directory Specification).
 * @returns undefined if neither the environment nor the system names a folder
 */
export function stateFolder(): string | undefined {
  const { XDG_STATE_HOME = "", HOME = "" } = process.env;
  if (isAbsolute(XDG_STATE_HOME)) return join(XDG_STATE_HOME, "tertulia");
  const home = [HOME, homeOfSystem()].find((folder) => isAbsolute(folder));
  return home === undefined ? undefined : join(home, ".local", "state", "tertulia");
}

/** Empty if the system does not know the user. */
function homeOfSystem(): string {
  try {
    return userInfo().homedir;
  } catch {
    return "";
  }
}

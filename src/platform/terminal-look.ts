/** The features of a terminal beyond plain text. */
export interface TerminalLook {
  readonly hasColours: boolean;
  /**
   * Whether the terminal supports links (OSC 8). Such a terminal opens and copies a link as a
   * whole.
   */
  readonly hasLinks: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Terminals with links, by TERM_PROGRAM, and the first version with links; an empty list means any
 * version.
 */
const programs: ReadonlyMap<string, readonly number[]> = new Map([
  ["iTerm.app", [3, 1]],
  ["WezTerm", []],
  ["vscode", [1, 72]],
  ["ghostty", []],
  ["zed", []],
  ["WarpTerminal", []],
]);
const firstTmux = [3, 4];
/** Environment variables that are set only by terminals with links. */
const marks = ["KITTY_WINDOW_ID", "WT_SESSION", "DOMTERM"];
const terms = /^(?:alacritty|foot|xterm-kitty|xterm-ghostty)/;
/** The first versions with links, as one number each: 0.50 and 20.12. */
const firstVte = 5_000;
const firstKonsole = 201_200;

export function terminalLook(isTerminal: boolean, environment: Environment): TerminalLook {
  return {
    hasColours: isTerminal && !environment.NO_COLOR,
    hasLinks: isTerminal && hasLinks(environment),
  };
}

function hasLinks(environment: Environment): boolean {
  const { FORCE_HYPERLINK, TERM_PROGRAM, TERM_PROGRAM_VERSION, TERM = "" } = environment;
  if (FORCE_HYPERLINK) return Number.parseInt(FORCE_HYPERLINK, 10) !== 0;
  // Inside tmux or screen, the variables of the outer terminal do not show whether tmux or screen
  // supports links.
  if (TERM_PROGRAM === "tmux" || /^(?:tmux|screen)/.test(TERM)) {
    return TERM_PROGRAM === "tmux" && isSince(firstTmux, TERM_PROGRAM_VERSION);
  }
  const since = programs.get(TERM_PROGRAM ?? "");
  return (
    (since !== undefined && isSince(since, TERM_PROGRAM_VERSION)) ||
    marks.some((name) => environment[name]) ||
    Number(environment.VTE_VERSION) >= firstVte ||
    Number(environment.KONSOLE_VERSION) >= firstKonsole ||
    terms.test(TERM)
  );
}

/** Returns whether a version is at least `since`; an unreadable version counts as 0. */
function isSince(since: readonly number[], version = ""): boolean {
  const numbers = version.match(/\d+/g)?.map(Number) ?? [];
  for (const [at, wanted] of since.entries()) {
    const number = numbers[at] ?? 0;
    if (number !== wanted) return number > wanted;
  }
  return true;
}

/** What a terminal can show beside plain text. */
export interface TerminalLook {
  readonly hasColours: boolean;
  /** Links (OSC 8), which a terminal opens and copies whole. */
  readonly hasLinks: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Programs with links, by TERM_PROGRAM, and the first version that has them; none means any. */
const programs: ReadonlyMap<string, readonly number[]> = new Map([
  ["iTerm.app", [3, 1]],
  ["WezTerm", []],
  ["vscode", [1, 72]],
  ["ghostty", []],
  ["zed", []],
  ["WarpTerminal", []],
]);
const firstTmux = [3, 4];
/** Variables that only terminals with links set. */
const marks = ["KITTY_WINDOW_ID", "WT_SESSION", "DOMTERM"];
const terms = /^(?:alacritty|foot|xterm-kitty|xterm-ghostty)/;
/** Versions in one number: 0.50 and 20.12. */
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
  // Inside these, variables of the terminal around them mean nothing.
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

/** An unreadable version counts as older than any. */
function isSince(since: readonly number[], version = ""): boolean {
  const numbers = version.match(/\d+/g)?.map(Number) ?? [];
  for (const [at, wanted] of since.entries()) {
    const number = numbers[at] ?? 0;
    if (number !== wanted) return number > wanted;
  }
  return true;
}

import { expect, test } from "vitest";
import { terminalLook } from "../../src/platform/terminal-look.ts";

const hasLinks = (environment: Record<string, string>) =>
  terminalLook(true, { TERM: "xterm-256color", ...environment }).hasLinks;

test.each([
  { TERM_PROGRAM: "iTerm.app", TERM_PROGRAM_VERSION: "3.5.0" },
  { TERM_PROGRAM: "WezTerm", TERM_PROGRAM_VERSION: "20240203-110809-5046fc22" },
  { TERM_PROGRAM: "vscode", TERM_PROGRAM_VERSION: "1.96.2" },
  { TERM_PROGRAM: "ghostty" },
  { TERM_PROGRAM: "tmux", TERM_PROGRAM_VERSION: "3.4" },
  { TERM_PROGRAM: "tmux", TERM_PROGRAM_VERSION: "next-3.6", TERM: "tmux-256color" },
  { VTE_VERSION: "7600" },
  { KONSOLE_VERSION: "230804" },
  { KITTY_WINDOW_ID: "1" },
  { WT_SESSION: "00000000-0000" },
  { DOMTERM: "version=3.2" },
  { TERM: "foot-extra" },
  { TERM: "alacritty" },
  { FORCE_HYPERLINK: "1" },
])("a terminal with the environment %j is known to show links", (environment) => {
  expect(hasLinks(environment)).toBe(true);
  expect(hasLinks({ ...environment, FORCE_HYPERLINK: "0" })).toBe(false);
  expect(terminalLook(false, environment)).toEqual({ hasColours: false, hasLinks: false });
});

test.each([
  {},
  { TERM: "linux" },
  { TERM_PROGRAM: "Apple_Terminal", TERM_PROGRAM_VERSION: "455" },
  { TERM_PROGRAM: "iTerm.app", TERM_PROGRAM_VERSION: "3.0.15" },
  { TERM_PROGRAM: "vscode", TERM_PROGRAM_VERSION: "1.71.0" },
  { TERM_PROGRAM: "tmux", TERM_PROGRAM_VERSION: "3.3a", VTE_VERSION: "7600" },
  { TERM: "screen-256color", VTE_VERSION: "7600", KITTY_WINDOW_ID: "1" },
  { VTE_VERSION: "4902" },
  { KONSOLE_VERSION: "200803" },
])("a terminal with the environment %j is not known to show links", (environment) => {
  expect(hasLinks(environment)).toBe(false);
});

test("NO_COLOR turns off the colours and not the links", () => {
  const environment = { NO_COLOR: "1", TERM: "foot" };
  expect(terminalLook(true, environment)).toEqual({ hasColours: false, hasLinks: true });
});

import { expect, test } from "vitest";
import { PromptScreen } from "../../src/client/terminal/prompt-screen.ts";

/** A prompt screen, and the texts that it has written to its stand-in terminal. */
function screen() {
  const written: string[] = [];
  const terminal = {
    isTTY: true,
    columns: 80,
    rows: 24,
    write: (text: string) => written.push(text),
  };
  return { written, screen: new PromptScreen(terminal as unknown as NodeJS.WriteStream) };
}

// The texts that inquirer writes: it erases the old prompt, writes the lines, and moves the cursor.
const first = "? Menu\n  1) one\n  2) two\n> hint\x1b[1A\x1b[8G";
const again = `\x1b[1B${"\x1b[2K\x1b[1A".repeat(3)}\x1b[2K\x1b[G? Menu 1\n  1) one\x1b[1A\x1b[9G`;

test("a line is printed unchanged while no prompt is open", () => {
  const { written, screen: plain } = screen();
  plain.print("oi");
  expect(written).toEqual(["oi\n"]);
});

test("a line is printed above the open prompt, and the prompt is drawn again unchanged", () => {
  const { written, screen: drawn } = screen();
  drawn.open().write(first);
  drawn.print("oi");
  expect(written.at(-1)).toBe(`\r\x1b[2A\x1b[Joi\n${first}`);
});

test("below a printed line the prompt's last drawing is repeated, without the codes that erased the drawing before", () => {
  const { written, screen: drawn } = screen();
  const prompt = drawn.open();
  prompt.write(first);
  prompt.write(again);
  drawn.print("oi");
  expect(written.at(-1)).toBe("\r\x1b[Joi\n? Menu 1\n  1) one\x1b[1A\x1b[9G");
});

test("the cursor returns to its previous column after a line is printed above the prompt", () => {
  const { written, screen: drawn } = screen();
  const prompt = drawn.open();
  prompt.write("? Text abc\x1b[11G");
  prompt.write("\x1b[9G");
  drawn.print("oi");
  expect(written.at(-1)).toBe("\r\x1b[Joi\n? Text abc\x1b[9G");
});

test("a prompt that has ended is not drawn again when a line is printed", () => {
  const { written, screen: drawn } = screen();
  const prompt = drawn.open();
  prompt.write(first);
  prompt.write("\x1b[1B\n\x1b[G\x1b[?25h");
  drawn.print("oi");
  expect(written.at(-1)).toBe("oi\n");
});

test("lines are held back while the shell has the terminal, and printed when the prompt takes the terminal back", () => {
  const { written, screen: drawn } = screen();
  drawn.open().write(first);
  drawn.giveBack();
  expect(written.at(-1)).toBe("\x1b[1B\r\x1b[?25h");
  drawn.print("oi");
  expect(written).toHaveLength(2);
  drawn.takeAgain();
  expect(written.slice(2)).toEqual([first, `\r\x1b[2A\x1b[Joi\n${first}`]);
});

/** The process's number, for those who watch over it. */
export const processId = process.pid;

/** A line of data on stdout. */
export function printLine(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Whether a person sits at both ends. */
export function isInteractive(): boolean {
  return process.stdin.isTTY === true && process.stdout.isTTY === true;
}

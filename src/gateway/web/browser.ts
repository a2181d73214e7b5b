/** Milliseconds since 1970. */
export function nowMs(): number {
  return Date.now();
}

export function random(): number {
  return Math.random();
}

/** A random text of hex digits. It also works on a page without encryption. */
export function randomHex(bytes: number): string {
  const values = crypto.getRandomValues(new Uint8Array(bytes));
  return Array.from(values, (value) => value.toString(16).padStart(2, "0")).join("");
}

/** By how many minutes local clocks are ahead of UTC at a time. */
export function zoneMinutes(timeMs: number): number {
  return -new Date(timeMs).getTimezoneOffset();
}

/** Resolves after a time, or at once when the signal is aborted. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** Offers lines as a file, which the browser keeps as it does all downloads. */
export function saveFile(name: string, type: string, lines: readonly string[]): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([`${lines.join("\n")}\n`], { type }));
  link.download = name;
  link.click();
  // The browser reads the file after this call.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

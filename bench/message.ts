/** 120 bytes, as many as a line of a chat. */
export const messageText = "The quick brown fox jumps over the lazy dog; then it rests a while. "
  .repeat(2)
  .slice(0, 120);

/** A text of 120 bytes that begins with its number. */
export function numbered(number: number): string {
  return `${number} ${messageText}`.slice(0, messageText.length);
}

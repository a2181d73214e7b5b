import { StringDecoder } from "node:string_decoder";
import { decodeKeys, isPasting, type Key, mayBeKey } from "../core/keys.ts";
import { asPaste, isUnbracketedPaste } from "../core/unbracketed-paste.ts";

/** The wait for the rest of a key's sequence; if none comes, it is Esc or a key with Alt. */
const restMs = 40;
/** The same if what has come is not a key that a person can press: the line is slow. */
const sequenceMs = 500;
/** The wait for the end of a paste; after it, input is shown as it comes. */
const pasteMs = 2_000;
/** After so much silence the end of a paste counts as lost. */
const lostPasteMs = 30_000;
/** Ctrl-C alone: a person's way out of a paste whose end never comes. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is one
const interrupts = /^\x03+$/;

/** Text this soon behind an Enter belongs to the same piece of input; no hand is so quick. */
const lineEndMs = 20;
/** The same while a paste goes on, which a busy machine may deliver with pauses. */
const pieceMs = 100;
/** A read of so many bytes was not typed: a pseudo-terminal gives 4095 of a paste at a time. */
const longRead = 256;

/**
 * Makes keys of what a terminal sends. Where the terminal does not mark pastes, a paste is a piece
 * of input that has text behind the end of a line.
 */
export class KeyReader {
  readonly #onKey: (key: Key) => void;
  readonly #decoder = new StringDecoder("utf8");
  #rest = "";
  /** The paste has paused: what still comes of it is shown at once. */
  #isStalled = false;
  #timer: NodeJS.Timeout | undefined;
  /** An Enter at the end of a piece that may go on. */
  #held: readonly Key[] = [];
  /** The present piece is a paste without brackets. */
  #isPiecePasted = false;
  #pieceTimer: NodeJS.Timeout | NodeJS.Immediate | undefined;

  constructor(onKey: (key: Key) => void) {
    this.#onKey = onKey;
  }

  read(chunk: Buffer): void {
    const input = this.#decoder.write(chunk);
    if (this.#isStalled && interrupts.test(input)) this.#rest = "";
    this.#take(this.#rest + input, false);
  }

  /** Drops input that has not become a key yet. */
  forget(): void {
    clearTimeout(this.#timer);
    this.#clearPiece();
    this.#rest = "";
    this.#isStalled = false;
  }

  #take(input: string, isAll: boolean): void {
    clearTimeout(this.#timer);
    const { keys, rest } = decodeKeys(input, isAll);
    this.#rest = rest;
    this.#isStalled = isPasting(rest) && (isAll || this.#isStalled);
    if (rest !== "") {
      const [next, patienceMs] = isAll ? ["", lostPasteMs] : [rest, this.#patienceMs];
      this.#timer = setTimeout(() => this.#take(next, true), patienceMs);
    }
    if (keys.length > 0) this.#addToPiece(keys, input.length >= longRead);
  }

  get #patienceMs(): number {
    if (isPasting(this.#rest)) return this.#isStalled ? restMs : pasteMs;
    return mayBeKey(this.#rest) ? restMs : sequenceMs;
  }

  #addToPiece(more: readonly Key[], isLong: boolean): void {
    const keys = [...this.#held, ...more];
    const isPasted = this.#isPiecePasted || isUnbracketedPaste(keys);
    const [only] = more;
    // A single key other than a character is a person's: it neither begins nor extends a piece.
    const isKey = more.length === 1 && only?.name !== "text";
    const endsLine = keys.at(-1)?.name === "enter";
    const mayGoOn = isPasted || (endsLine && keys.length > 1);
    if (!mayGoOn) this.#clearPiece();
    else if (!isKey) this.#awaitMore(isPasted || isLong ? pieceMs : lineEndMs);
    this.#isPiecePasted = isPasted;
    this.#held = mayGoOn && endsLine ? keys.slice(-1) : [];
    this.#give(keys.slice(0, keys.length - this.#held.length), isPasted);
  }

  #awaitMore(patienceMs: number): void {
    this.#clearPiece();
    this.#pieceTimer = setTimeout(() => this.#endAfterReading(), patienceMs);
  }

  /**
   * Ends the piece after one more read: a busy process may have input waiting that belongs to it.
   */
  #endAfterReading(): void {
    this.#pieceTimer = setImmediate(() => {
      const [held, isPasted] = [this.#held, this.#isPiecePasted];
      this.#clearPiece();
      this.#give(held, isPasted);
    });
  }

  #clearPiece(): void {
    clearTimeout(this.#pieceTimer as NodeJS.Timeout);
    clearImmediate(this.#pieceTimer as NodeJS.Immediate);
    this.#held = [];
    this.#isPiecePasted = false;
  }

  /** Called last, since one of the keys may close the terminal. */
  #give(keys: readonly Key[], isPasted: boolean): void {
    for (const key of isPasted ? asPaste(keys) : keys) this.#onKey(key);
  }
}

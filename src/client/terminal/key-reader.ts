import { StringDecoder } from "node:string_decoder";
import { decodeKeys, isPasting, type Key, mayBeKey } from "../core/keys.ts";
import { asPaste, isUnbracketedPaste } from "../core/unbracketed-paste.ts";

/** Within which the rest of a key's sequence comes; what has none by then is Esc, or a key with Alt. */
const restMs = 40;
/** The same where nobody would have pressed what is there, also over a slow line. */
const sequenceMs = 500;
/** The same for the end of what is pasted: then what is there is shown, and the rest as it comes. */
const pasteMs = 2_000;
/** Of a paste that stood still so long the end is lost. */
const lostPasteMs = 30_000;
/** Ctrl-C, alone: the person's own way out of a paste whose end never comes. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is one
const interrupts = /^\x03+$/;

/** Within which text behind an Enter belongs to the same piece of input; no hand is so quick. */
const lineEndMs = 20;
/** The same while a paste goes on, which a busy machine may hand over haltingly. */
const pieceMs = 100;
/** Bytes of a read that nobody has typed: a pseudo-terminal gives 4095 of a paste at a time. */
const longRead = 256;

/**
 * Makes keys of what a terminal sends. Where the terminal does not tell what is pasted, text behind
 * the end of a line in the same piece of input tells it.
 */
export class KeyReader {
  readonly #onKey: (key: Key) => void;
  readonly #decoder = new StringDecoder("utf8");
  #rest = "";
  /** The last paste stopped for a while: what still comes of it is shown at once. */
  #isStalled = false;
  #timer: NodeJS.Timeout | undefined;
  /** An Enter at the end of a piece that may go on. */
  #held: readonly Key[] = [];
  /** The piece that goes on is a paste without brackets. */
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

  /** What has not become a key yet never will. */
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
    // One key alone is a person's: it begins no piece, and keeps none going unless it types.
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

  /** What the terminal has sent by now, and this process was too busy to read, belongs to it. */
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

  /** Last of all, since one of them may close the terminal. */
  #give(keys: readonly Key[], isPasted: boolean): void {
    for (const key of isPasted ? asPaste(keys) : keys) this.#onKey(key);
  }
}

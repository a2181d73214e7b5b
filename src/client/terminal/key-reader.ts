import { StringDecoder } from "node:string_decoder";
import { decodeKeys, isPasting, type Key, mayBeKey } from "../core/keys.ts";
import { asPaste, isUnbracketedPaste } from "../core/unbracketed-paste.ts";

/**
 * How long to wait for the rest of a key's sequence. If no rest arrives, the key is Esc or a key
 * with Alt.
 */
const restMs = 40;
/**
 * How long to wait for the rest of a sequence that can't be a complete key press. Its rest must
 * follow, but a slow line may delay it.
 */
const sequenceMs = 500;
/** How long to wait for the end of a paste. After this time, pasted text is shown as it arrives. */
const pasteMs = 2_000;
/** How long a paste may pause before its end counts as lost. */
const lostPasteMs = 30_000;
/** Matches Ctrl-C alone, by which a person ends a paste whose end sequence never arrives. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: Ctrl-C is a control character
const interrupts = /^\x03+$/;

/**
 * Text that arrives within this time after an Enter belongs to the same piece of input: no person
 * types that fast.
 */
const lineEndMs = 20;
/** `lineEndMs` during a paste: longer, because a busy machine may deliver a paste with pauses. */
const pieceMs = 100;
/**
 * Input of at least this many characters belongs to a paste, because no person types that much
 * between two reads. One read returns at most 4,095 bytes of a paste.
 */
const longRead = 256;

/**
 * Turns the bytes of a terminal into keys. If the terminal does not bracket pastes, a piece of
 * input counts as a paste if text follows the end of a line.
 */
export class KeyReader {
  readonly #onKey: (key: Key) => void;
  readonly #decoder = new StringDecoder("utf8");
  #rest = "";
  /** True if a paste has paused for `pasteMs`; the rest of its text is then shown as it arrives. */
  #isStalled = false;
  #timer: NodeJS.Timeout | undefined;
  /**
   * The Enter at the end of a piece of input. The Enter is passed on when more of the piece
   * arrives, or when the wait for more is over.
   */
  #held: readonly Key[] = [];
  /** True if the present piece of input is a paste without brackets. */
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
    // A key that arrives alone and is not text was pressed by a person. Such a key does not prolong
    // the wait for the rest of a piece of input.
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
   * Ends the piece after one more read, because a busy process may have unread input of this piece.
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

  /**
   * Passes the keys on. Callers must call `#give` last, because a key may close the terminal, and
   * closing calls `forget`.
   */
  #give(keys: readonly Key[], isPasted: boolean): void {
    for (const key of isPasted ? asPaste(keys) : keys) this.#onKey(key);
  }
}

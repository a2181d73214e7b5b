import { type Random, seededRandom } from "../../src/platform/random.ts";
import { decode, formatOf } from "../../src/protocol/codec.ts";
import {
  oddJson,
  oddKeys,
  oddNumbers,
  oddTexts,
  otherTypes,
  promises,
  topics,
} from "./odd-values.ts";
import { Pairs, Raw, type Tree, treeOf, writeJsonTree, writeTree } from "./tree.ts";

/** A recorded message. */
export interface Sample {
  readonly frames: readonly Buffer[];
  /** The index of the frame with the payload. */
  readonly payload: number;
}

export interface Mutant<S extends Sample = Sample> {
  readonly of: S;
  readonly frames: Buffer[];
  /** The changes to the message, in order. */
  readonly kinds: readonly string[];
}

/** A message that is being changed, and another message to take pieces from. */
interface Draft {
  frames: Buffer[];
  payload: number;
  readonly other: Sample;
}

/** Far more levels than any gate accepts, but still few bytes. */
const deepLevels = 3_000;
/** The most bytes of a payload that repeats another one. */
const mostBytes = 30_000;

/**
 * Makes invalid messages from valid ones. The same seed and the same calls give the same mutants,
 * to the byte.
 */
export class Mutator {
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }

  /** A random integer from 0 to below `most`. */
  below(most: number): number {
    return Math.floor(most * this.#random());
  }

  /** Takes a random sample and changes it one to three times. */
  mutate<S extends Sample>(samples: readonly S[]): Mutant<S> {
    const of = this.pick(samples);
    const { frames, payload } = of;
    const draft: Draft = { frames: [...frames], payload, other: this.pick(samples) };
    const kinds: string[] = [];
    const times = 1 + this.below(3);
    for (let done = 0; done < times; done += 1) {
      const kind = this.pick(kindNames);
      kinds[done] = kind;
      mutations[kind]?.call(this, draft);
    }
    return { of, frames: draft.frames, kinds };
  }

  /** Changes the payload as a value; if it can't be decoded, flips bits instead. */
  change(draft: Draft, change: (root: Slot, slots: readonly Slot[]) => void): void {
    const bytes = draft.frames[draft.payload];
    let value: unknown;
    try {
      value = bytes && decode(bytes, formatOf(bytes));
    } catch {
      return this.flip(draft);
    }
    const root: Slot = { get: () => tree, set: (next) => (tree = next) };
    let tree = treeOf(value);
    change(root, slotsOf(root));
    draft.frames[draft.payload] = writeTree(tree);
  }

  /** Changes one value anywhere in the payload. */
  changeOne(draft: Draft, next: (old: Tree) => Tree): void {
    this.change(draft, (_, slots) => {
      const slot = this.pick(slots);
      slot.set(next(slot.get()));
    });
  }

  /** Changes one map anywhere in the payload. */
  changeMap(draft: Draft, next: (entries: [Tree, Tree][]) => void): void {
    this.change(draft, (_, slots) => {
      const maps = slots.flatMap((slot) => {
        const tree = slot.get();
        return tree instanceof Pairs ? [tree] : [];
      });
      if (maps.length > 0) next(this.pick(maps).entries);
    });
  }

  /** Changes the bytes of one frame, mostly of the payload. */
  changeBytes(draft: Draft, next: (bytes: Buffer) => Buffer): void {
    const at = this.below(10) < 7 ? draft.payload : this.below(draft.frames.length);
    const bytes = draft.frames[at];
    if (bytes !== undefined) draft.frames[at] = next(Buffer.from(bytes));
  }

  flip(draft: Draft): void {
    this.changeBytes(draft, (bytes) => {
      for (let flips = 1 + this.below(8); flips > 0 && bytes.length > 0; flips -= 1) {
        const at = this.below(bytes.length);
        bytes[at] = (bytes[at] ?? 0) ^ (1 << this.below(8));
      }
      return bytes;
    });
  }

  random(count: number): Buffer {
    const bytes = Buffer.alloc(count);
    for (let at = 0; at < count; at += 1) bytes[at] = this.below(256);
    return bytes;
  }
}

/** A place in a tree. */
interface Slot {
  get(): Tree;
  set(tree: Tree): void;
}

function slotsOf(slot: Slot): Slot[] {
  const tree = slot.get();
  const inner: Slot[] = [];
  if (Array.isArray(tree)) {
    for (const at of tree.keys()) {
      inner.push({ get: () => tree[at] as Tree, set: (next) => (tree[at] = next) });
    }
  } else if (tree instanceof Pairs) {
    for (const entry of tree.entries) {
      inner.push({ get: () => entry[1], set: (next) => (entry[1] = next) });
    }
  }
  return [slot, ...inner.flatMap(slotsOf)];
}

/** The possible changes of a message, by the name that a report shows. */
const mutations: Readonly<Record<string, (this: Mutator, draft: Draft) => void>> = {
  // Changes of bytes.
  "bits flipped"(draft) {
    this.flip(draft);
  },
  truncated(draft) {
    this.changeBytes(draft, (bytes) => bytes.subarray(0, this.below(bytes.length + 1)));
  },
  "bytes put in"(draft) {
    this.changeBytes(draft, (bytes) => {
      const at = this.below(bytes.length + 1);
      return Buffer.concat([
        bytes.subarray(0, at),
        this.random(1 + this.below(16)),
        bytes.subarray(at),
      ]);
    });
  },
  "bytes left out"(draft) {
    this.changeBytes(draft, (bytes) => {
      const at = this.below(bytes.length + 1);
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + this.below(8))]);
    });
  },
  "spliced with another"(draft) {
    const other = draft.other.frames[draft.other.payload] ?? Buffer.alloc(0);
    const from = this.below(other.length + 1);
    this.changeBytes(draft, (bytes) =>
      Buffer.concat([bytes.subarray(0, this.below(bytes.length + 1)), other.subarray(from)]),
    );
  },
  "a count altered"(draft) {
    this.changeBytes(draft, (bytes) => {
      const headers = [...bytes.keys()].filter((at) => isHeader(bytes[at] ?? 0));
      if (headers.length === 0) return bytes;
      const at = this.pick(headers);
      // A short header holds the count in its own byte; other headers hold it in the bytes after.
      const isShort = (bytes[at] ?? 0) < 0xc0;
      if (isShort) bytes[at] = ((bytes[at] ?? 0) & 0xf0) | this.below(16);
      else if (at + 1 < bytes.length) bytes[at + 1] = this.below(256);
      return bytes;
    });
  },
  "billions promised"(draft) {
    this.changeBytes(draft, (bytes) => {
      const at = this.below(bytes.length + 1);
      const promise = Buffer.from(this.pick(promises), "hex");
      return Buffer.concat([bytes.subarray(0, at), promise, bytes.subarray(at)]);
    });
  },
  noise(draft) {
    this.changeBytes(draft, () => this.random(this.below(200)));
  },

  // Changes of values.
  "another type"(draft) {
    this.changeOne(draft, () => this.pick(otherTypes));
  },
  "an odd number"(draft) {
    this.changeOne(draft, () => this.pick(oddNumbers));
  },
  "an odd text"(draft) {
    this.changeOne(draft, () => this.pick(oddTexts));
  },
  "a value of elsewhere"(draft) {
    // The value is copied, because a value within itself would have no end.
    this.change(draft, (_, slots) => {
      this.pick(slots).set(new Raw(writeTree(this.pick(slots).get())));
    });
  },
  "a key twice"(draft) {
    this.changeMap(draft, (entries) => {
      const [key, value] = entries.length > 0 ? this.pick(entries) : ["service", "login"];
      entries.push([key as Tree, this.below(2) === 0 ? (value as Tree) : this.pick(otherTypes)]);
    });
  },
  "a key left out"(draft) {
    this.changeMap(draft, (entries) => void entries.splice(this.below(entries.length), 1));
  },
  "an odd key"(draft) {
    this.changeMap(draft, (entries) => {
      const value = entries.length > 0 ? this.pick(entries)[1] : null;
      entries.push([this.pick(oddKeys), value]);
    });
  },
  "nested deeply"(draft) {
    const opening = this.below(2) === 0 ? Buffer.of(0x91) : Buffer.of(0x81, 0xa1, 0x61);
    const levels = this.pick([3, 15, 16, 17, 40, deepLevels]);
    this.changeOne(draft, (old) => {
      const outside = Buffer.alloc(levels * opening.length, opening);
      return new Raw(Buffer.concat([outside, writeTree(old)]));
    });
  },
  "an array of it"(draft) {
    const bytes = draft.frames[draft.payload]?.length ?? 0;
    const most = Math.ceil(mostBytes / (bytes + 1));
    const length = Math.min(this.pick([0, 1, 2, 3, 40, 1_001]), most);
    this.change(draft, (root) => {
      const one = new Raw(writeTree(root.get()));
      root.set(Array.from({ length }, () => one));
    });
  },
  "as JSON"(draft) {
    this.change(draft, (root, slots) => {
      if (this.below(3) === 0) this.pick(slots).set(new Raw(Buffer.from(this.pick(oddJson))));
      root.set(new Raw(Buffer.from(writeJsonTree(root.get()))));
    });
  },

  // Changes of frames.
  "an empty frame more"(draft) {
    insert(draft, this.below(draft.frames.length + 1), Buffer.alloc(0));
  },
  "a frame more"(draft) {
    insert(draft, this.below(draft.frames.length + 1), this.random(1 + this.below(40)));
  },
  "a frame of another"(draft) {
    insert(draft, this.below(draft.frames.length + 1), this.pick(draft.other.frames));
  },
  "a frame twice"(draft) {
    insert(draft, this.below(draft.frames.length + 1), this.pick(draft.frames));
  },
  "many frames"(draft) {
    for (let more = this.pick([5, 50, 300]); more > 0; more -= 1) {
      draft.frames.push(this.below(2) === 0 ? Buffer.alloc(0) : this.random(3));
    }
  },
  "a frame left out"(draft) {
    if (draft.frames.length > 1) draft.frames.splice(this.below(draft.frames.length), 1);
    draft.payload = Math.min(draft.payload, draft.frames.length - 1);
  },
  "frames in another order"(draft) {
    draft.frames.reverse();
  },
  "another first frame"(draft) {
    if (draft.frames.length > 1) draft.frames[0] = Buffer.from(this.pick(topics));
    else this.flip(draft);
  },
};
const kindNames = Object.keys(mutations);

function insert(draft: Draft, at: number, frame: Buffer): void {
  draft.frames.splice(at, 0, frame);
  if (at <= draft.payload) draft.payload += 1;
}

/** Whether the byte may begin an array, a map, a text or binary. */
function isHeader(byte: number): boolean {
  return (byte >= 0x80 && byte < 0xc0) || (byte >= 0xc4 && byte <= 0xc9) || byte >= 0xd9;
}

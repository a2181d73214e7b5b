import { join } from "node:path";
import { now } from "../platform/clock.ts";
import { Problem } from "../platform/problem.ts";
import { randomHex } from "../platform/random.ts";
import { type Ballot, noBallot, parseEpoch } from "../protocol/epoch.ts";
import { isMap } from "../protocol/fields.ts";
import { isServerName, type ServerName } from "../protocol/ids.ts";
import { parseClock } from "../protocol/lamport-clock.ts";
import { type Heads, parseHeads } from "../protocol/mark.ts";
import { isoTime } from "../protocol/time.ts";
import { noView, parseView, type View } from "../protocol/view.ts";
import { readJson, writeJson } from "./json-file.ts";

/**
 * Returns the server's name in a data folder; undefined for a folder without a name. @throws
 * Problem if the file is damaged
 */
export function readName(folder: string): Promise<ServerName | undefined> {
  return readJson(join(folder, "identity.json"), (value) => {
    if (!isMap(value) || !isServerName(value.name)) throw new Error("it has no server's `name`");
    return value.name;
  });
}

/**
 * Returns the server's name in a folder, and creates one for a new folder. A new folder is a new
 * server, so that no `seq` is used twice.
 */
export async function nameOf(folder: string): Promise<ServerName> {
  const known = await readName(folder);
  if (known !== undefined) return known;
  const name = `server_${randomHex(4)}` as ServerName;
  await writeJson(join(folder, "identity.json"), { name, created: isoTime(now().wallMs) });
  return name;
}

/** The promises of a server; each is on disk before other processes learn it (R2). */
export interface Promises {
  readonly view: View;
  /** The highest promised epoch, and the candidate that got the promise (E2). */
  readonly ballot: Ballot;
  /**
   * The newest events that this disk has lost: the server stays silent until its peers have
   * returned them (J5).
   */
  readonly owed: Heads;
  /** Descriptions of the damaged places, for messages. */
  readonly damages: readonly string[];
  /**
   * The lowest number that the journal's last file may have; a lower number, or no file, means that
   * files were lost.
   */
  readonly journal: number | undefined;
  /** Whether only versions without a log of decisions have used the folder (O60). */
  readonly isFormer: boolean;
}

/** Tells a person what to do with a server that has lost its promises (E2). */
function wayWithoutPromises(folder: string): string {
  return (
    "without it this server could help to elect a second coordinator. " +
    `Move ${folder} away and start again: a new member fetches everything from the others. ` +
    "Then take the old name out: tertulia servers remove NAME."
  );
}

/** Refuses a folder of an older version that has accounts. @throws Problem that says what to do */
export function refuseFormerAccounts(folder: string): never {
  throw new Problem(
    `${folder} has accounts of version 0.1.0, which this version can't read (O60): begin with an ` +
      "empty folder, and register the accounts again; or start version 0.1.0 again.",
  );
}

/** Refuses a folder that has events but no promises. @throws Problem that says what to do */
export function missPromises(folder: string): never {
  const path = join(folder, "promises.json");
  throw new Problem(`${path} is gone: ${wayWithoutPromises(folder)}`);
}

/**
 * @returns undefined if the folder has no promises yet
 * @throws Problem if the file is damaged
 */
export function readPromises(folder: string): Promise<Promises | undefined> {
  const parse = (value: unknown): Promises => {
    if (!isMap(value) || !isMap(value.view)) throw new Error("it has no `view`");
    const { owed, damages, epoch, journal } = value;
    return {
      view: parseView(value.view),
      ballot: epoch == null ? noBallot : parseBallot(epoch),
      owed: owed === undefined ? {} : parseHeads(owed),
      damages: Array.isArray(damages) ? damages.map(String) : [],
      journal: parseClock(journal),
      isFormer: value.decisions !== true,
    };
  };
  return readJson(join(folder, "promises.json"), parse, wayWithoutPromises(folder));
}

export const noPromises: Promises = {
  view: noView,
  ballot: noBallot,
  owed: {},
  damages: [],
  journal: undefined,
  isFormer: false,
};

function parseBallot(value: unknown): Ballot {
  const epoch = parseEpoch(value);
  const candidate = isMap(value) ? value.candidate : undefined;
  if (epoch === undefined || !isServerName(candidate)) throw new Error("its `epoch` is invalid");
  return { epoch, candidate };
}

export function writePromises(folder: string, promises: Promises): Promise<void> {
  const { view, ballot, owed, damages, journal, isFormer } = promises;
  const { epoch, candidate } = ballot;
  const promised = candidate === undefined ? null : { ...epoch, candidate };
  const lost = Object.keys(owed).length === 0 ? {} : { owed, damages };
  return writeJson(join(folder, "promises.json"), {
    view,
    epoch: promised,
    journal,
    decisions: !isFormer,
    ...lost,
  });
}

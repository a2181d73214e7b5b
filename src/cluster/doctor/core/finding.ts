import type { TextGroup } from "../../../texts/texts.ts";

type Values = TextGroup<"finding">;
export type Kind = keyof Values;

/** `note` says what could not be checked yet, or what the first start will do. */
export const levels = ["problem", "warning", "note", "ok"] as const;
export type Level = (typeof levels)[number];

/** What `tertulia doctor` says about one thing; the values are those of the kind's sentence. */
export type Finding = {
  readonly [K in Kind]: { readonly level: Level; readonly kind: K } & Values[K];
}[Kind];

/** The level of each kind of finding (O58). */
export const levelOf = {
  node: "ok",
  nodeOld: "problem",
  openFiles: "ok",
  openFilesFew: "warning",
  memory: "ok",
  memoryLittle: "warning",
  names: "ok",
  nameUnknown: "problem",
  portFree: "ok",
  portOurs: "ok",
  portUnready: "warning",
  portTaken: "problem",
  portUnusable: "problem",
  secret: "ok",
  secretToCreate: "note",
  secretMissing: "problem",
  secretUnreadable: "problem",
  secretShort: "problem",
  secretOpen: "problem",
  secretOwner: "warning",
  key: "ok",
  keyMissing: "problem",
  keyInvalid: "problem",
  keyNone: "problem",
  keyUnused: "problem",
  keyDiffers: "problem",
  gatewayKey: "ok",
  gatewayKeyUnchecked: "note",
  gatewayKeyToCreate: "note",
  gatewayKeyMissing: "problem",
  gatewayKeyInvalid: "problem",
  gatewayKeyOpen: "problem",
  gatewayKeyDiffers: "problem",
  data: "ok",
  dataToCreate: "note",
  dataUnusable: "problem",
  dataOwner: "warning",
  dataOnNetwork: "warning",
  dataInMemory: "warning",
  space: "ok",
  spaceLow: "problem",
  sync: "ok",
  syncSlow: "warning",
  syncVerySlow: "problem",
  reached: "ok",
  nothingAnswers: "note",
  refused: "problem",
  silent: "problem",
  foreign: "problem",
  sameSettings: "ok",
  curveMissing: "problem",
  curveUnwanted: "problem",
  otherKey: "problem",
  otherSecret: "problem",
  otherAuth: "problem",
  noServer: "note",
  version: "ok",
  versionOlder: "warning",
  versionNewer: "note",
  clock: "ok",
  clockOff: "problem",
} as const satisfies Readonly<Record<Kind, Level>>;

export function found<K extends Kind>(kind: K, values: Values[K]): Finding {
  return { level: levelOf[kind], kind, ...values } as Finding;
}

/** Sorts findings: problems first, then warnings, notes, and what is as it should be. */
export function inOrder(findings: readonly Finding[]): Finding[] {
  return levels.flatMap((level) => findings.filter((finding) => finding.level === level));
}

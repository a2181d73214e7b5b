import {
  type Cluster,
  judgeCluster,
  type Own,
} from "../../../src/cluster/doctor/core/cluster-checks.ts";
import type { Finding, Kind } from "../../../src/cluster/doctor/core/finding.ts";
import {
  type DataFolder,
  judgeData,
  judgeMachine,
  judgeNames,
  judgePorts,
  type Machine,
  type Port,
} from "../../../src/cluster/doctor/core/host-checks.ts";
import {
  type GatewayKeySeen,
  judgeGatewayKey,
  judgeKey,
  judgeSecret,
  type KeySeen,
  type SecretSeen,
} from "../../../src/cluster/doctor/core/secret-checks.ts";
import type { Listed } from "../../../src/protocol/reference-messages.ts";

const MiB = 1024 ** 2;

const machine: Machine = {
  node: "20.19.0",
  leastNode: "20.19",
  openFiles: 4_096,
  memoryBytes: 512 * MiB,
};
const data: DataFolder = {
  path: "/data",
  isMissing: false,
  code: undefined,
  owner: 7,
  user: 7,
  fileSystem: "disk",
  space: { freeBytes: 50_000 * MiB, totalBytes: 100_000 * MiB },
  syncsMs: [2, 1, 30],
};
const endpoint = "tcp://10.0.0.1:5555";
const port: Port = { role: "broker", endpoint, state: "free" };
const secret: SecretSeen & { state: "read" } = {
  state: "read",
  origin: "/data/secret",
  bytes: 64,
  least: 16,
  file: { mode: 0o100600, owner: 7 },
  wantedOwner: 7,
};
const ours = "ab".repeat(32);
const key: KeySeen = {
  path: "/data/public/server.key",
  code: undefined,
  content: ours,
  derived: ours,
  isEncrypted: true,
  hasMembers: true,
};
const gatewayKey: GatewayKeySeen = {
  path: "/data/gateway/key",
  isDefault: true,
  code: undefined,
  mode: 0o100600,
  key: ours,
  derived: [ours],
};
const ofGateway = (extra: Partial<GatewayKeySeen>) =>
  judgeGatewayKey({ ...gatewayKey, ...extra }, true);
const listed = (version: string | undefined, isKnown = true): Listed => {
  return { role: "broker", name: "b", rank: 0, address: "", clock: 1, isKnown, version };
};
const broker = { flag: "--broker", endpoint, state: "greeting", isOwn: false } as const;
const cluster: Cluster = {
  reached: [broker],
  refusal: undefined,
  listed: [listed("1.0.0")],
  acceptsSecret: true,
  auth: "open",
  clock: { endpoint, offsetMs: 3.2, errorMs: 1 },
};
const own: Own = { version: "1.0.0", auth: "open" };
const ofCluster = (extra: Partial<Cluster>, me: Partial<Own> = {}) =>
  judgeCluster({ ...cluster, ...extra }, { ...own, ...me });
const read = (extra: Partial<SecretSeen & { state: "read" }>) =>
  judgeSecret({ ...secret, ...extra }, true);
const missing = (mayBeCreated: boolean): SecretSeen => {
  return { state: "missing", path: "/s", mayBeCreated };
};

/** What is looked at, its findings, and the kinds that they must have. */
export const cases: readonly (readonly [string, Finding[], readonly Kind[]])[] = [
  ["a sufficient machine", judgeMachine(machine), ["node", "memory", "openFiles"]],
  [
    "an old Node, little memory and few open files",
    judgeMachine({ ...machine, node: "20.18.9", openFiles: 4_095, memoryBytes: 512 * MiB - 1 }),
    ["nodeOld", "memoryLittle", "openFilesFew"],
  ],
  [
    "nothing about open files if the system does not tell",
    judgeMachine({ ...machine, openFiles: undefined }),
    ["node", "memory"],
  ],
  ["no names if the settings have only addresses", judgeNames([]), []],
  [
    "known names together",
    judgeNames([{ name: "ana", flags: ["--broker"], isKnown: true }]),
    ["names"],
  ],
  [
    "each unknown name",
    judgeNames(["ana", "bia"].map((name) => ({ name, flags: ["--broker"], isKnown: false }))),
    ["nameUnknown", "nameUnknown"],
  ],
  [
    "the state of each port",
    judgePorts([
      port,
      { ...port, state: "ours" },
      { ...port, state: "ours", unready: "no quorum" },
      { ...port, state: "taken" },
      { ...port, state: { code: "EACCES" } },
    ]),
    ["portFree", "portOurs", "portUnready", "portTaken", "portUnusable"],
  ],
  ["a good data folder", judgeData(data), ["data", "space", "sync"]],
  [
    "a data folder that will be created",
    judgeData({ ...data, isMissing: true, owner: 0, space: undefined }),
    ["dataToCreate", "sync"],
  ],
  ["only that a folder can't be used", judgeData({ ...data, code: "EACCES" }), ["dataUnusable"]],
  [
    "a data folder of another user",
    judgeData({ ...data, owner: 8 }),
    ["data", "dataOwner", "space", "sync"],
  ],
  ["no other owner to root", judgeData({ ...data, user: 0 }), ["data", "space", "sync"]],
  [
    "a network's file system and a full disk",
    judgeData({ ...data, fileSystem: { type: "NFS" }, space: { freeBytes: 1, totalBytes: MiB } }),
    ["data", "dataOnNetwork", "spaceLow", "sync"],
  ],
  [
    "a folder in memory, where no sync was measured",
    judgeData({ ...data, fileSystem: "memory", syncsMs: [] }),
    ["data", "dataInMemory", "space"],
  ],
  [
    "a median of 21 ms",
    judgeData({ ...data, syncsMs: [1, 21, 22] }),
    ["data", "space", "syncSlow"],
  ],
  [
    "a median above 200 ms",
    judgeData({ ...data, syncsMs: [1, 201, 201] }),
    ["data", "space", "syncVerySlow"],
  ],
  ["no secret on a host without members", judgeSecret(undefined, true), []],
  ["a good secret", read({}), ["secret"]],
  ["a secret from the environment", read({ file: undefined }), ["secret"]],
  ["a short secret", read({ bytes: 15 }), ["secretShort"]],
  [
    "a secret that others can read, and of another owner",
    read({ file: { mode: 0o100640, owner: 8 } }),
    ["secretOpen", "secretOwner"],
  ],
  [
    "an unreadable secret",
    judgeSecret({ state: "unreadable", path: "/s", code: "EACCES" }, false),
    ["secretUnreadable"],
  ],
  [
    "that the first process creates the secret",
    judgeSecret(missing(true), false),
    ["secretToCreate"],
  ],
  ["a missing secret of a named file", judgeSecret(missing(false), false), ["secretMissing"]],
  ["a missing secret while the cluster runs", judgeSecret(missing(true), true), ["secretMissing"]],
  ["no key without its file", judgeKey(undefined), []],
  ["a key of the secret", judgeKey({ ...key, content: ours.toUpperCase() }), ["key"]],
  ["a key without a secret", judgeKey({ ...key, derived: undefined }), ["key"]],
  ["a missing key", judgeKey({ ...key, code: "ENOENT" }), ["keyMissing"]],
  ["a file without a key", judgeKey({ ...key, content: undefined }), ["keyInvalid"]],
  ["a file with `none` in spite of --curve", judgeKey({ ...key, content: "none" }), ["keyNone"]],
  [
    "nothing wrong with `none` without --curve",
    judgeKey({ ...key, content: "none", isEncrypted: false }),
    ["key"],
  ],
  ["a key without --curve", judgeKey({ ...key, isEncrypted: false }), ["keyUnused"]],
  [
    "nothing wrong with a client's key without --curve",
    judgeKey({ ...key, derived: "cd".repeat(32), isEncrypted: false, hasMembers: false }),
    ["key"],
  ],
  ["no gateways' key without a gateway", judgeGatewayKey(undefined, true), []],
  ["a gateways' key of the secret", ofGateway({}), ["gatewayKey"]],
  ["a gateways' key without a secret", ofGateway({ derived: [] }), ["gatewayKeyUnchecked"]],
  [
    "a gateways' key of the former secret, which servers still accept",
    ofGateway({ derived: ["cd".repeat(32), ours] }),
    ["gatewayKey"],
  ],
  ["a gateways' key that only a group can read", ofGateway({ mode: 0o100440 }), ["gatewayKey"]],
  [
    "a gateways' key that everybody can read, and of another secret",
    ofGateway({ mode: 0o100644, derived: ["cd".repeat(32)] }),
    ["gatewayKeyOpen", "gatewayKeyDiffers"],
  ],
  ["a file without a gateways' key", ofGateway({ key: undefined }), ["gatewayKeyInvalid"]],
  ["an unreadable gateways' key", ofGateway({ code: "EACCES" }), ["gatewayKeyMissing"]],
  [
    "a missing gateways' key that the reference has still to write",
    judgeGatewayKey({ ...gatewayKey, code: "ENOENT" }, false),
    ["gatewayKeyToCreate"],
  ],
  [
    "a missing gateways' key while the cluster runs",
    ofGateway({ code: "ENOENT" }),
    ["gatewayKeyMissing"],
  ],
  ["a key of another secret", judgeKey({ ...key, derived: "cd".repeat(32) }), ["keyDiffers"]],
  [
    "that the cluster and this host agree",
    ofCluster({}),
    ["reached", "sameSettings", "version", "clock"],
  ],
  [
    "in one note that nothing answers",
    judgeCluster(
      {
        ...cluster,
        reached: [
          { ...broker, state: "refused" },
          { ...broker, flag: "--proxy", state: "silent", isOwn: true },
        ],
        listed: undefined,
        acceptsSecret: undefined,
        auth: undefined,
        clock: undefined,
      },
      own,
    ),
    ["nothingAnswers"],
  ],
  [
    "each endpoint that does not answer while others do, but not this host's own",
    ofCluster({
      reached: [
        broker,
        { ...broker, state: "refused" },
        { ...broker, state: "silent" },
        { ...broker, state: "foreign" },
        { ...broker, state: "refused", isOwn: true },
      ],
    }),
    ["reached", "refused", "silent", "foreign", "sameSettings", "version", "clock"],
  ],
  ...(["keyWanted", "keyUnwanted", "otherKey"] as const).map((refusal) => {
    const kinds = { keyWanted: "curveMissing", keyUnwanted: "curveUnwanted", otherKey: "otherKey" };
    const findings = ofCluster({ refusal, listed: undefined, clock: undefined });
    return [`the refusal ${refusal}`, findings, ["reached", kinds[refusal] as Kind]] as const;
  }),
  [
    "another secret and another --auth",
    ofCluster({ acceptsSecret: false, auth: "required" }),
    ["reached", "otherSecret", "otherAuth", "version", "clock"],
  ],
  [
    "nothing about --auth on a host without servers",
    ofCluster({ auth: "required" }, { auth: undefined }),
    ["reached", "sameSettings", "version", "clock"],
  ],
  [
    "that no server answers behind the broker",
    ofCluster({ auth: undefined }),
    ["reached", "noServer", "version", "clock"],
  ],
  [
    "an older program",
    ofCluster({ listed: [listed("1.0.0"), listed("1.0.1-rc.1")] }),
    ["reached", "sameSettings", "versionOlder", "clock"],
  ],
  [
    "a newer program, and no version of a guest",
    ofCluster({ listed: [listed("0.9.0"), listed("2.0.0", false)] }),
    ["reached", "sameSettings", "versionNewer", "clock"],
  ],
  [
    "a clock that is off by more than the measurement's error",
    ofCluster({ clock: { endpoint, offsetMs: -1_050, errorMs: 40 } }),
    ["reached", "sameSettings", "version", "clockOff"],
  ],
  [
    "no clock that is off by less than the measurement's error",
    ofCluster({ clock: { endpoint, offsetMs: -1_050, errorMs: 60 } }),
    ["reached", "sameSettings", "version", "clock"],
  ],
];

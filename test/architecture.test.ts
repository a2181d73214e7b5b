import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

/** The parts of `src/` that a part may import: a folder ends in a slash, a file does not. */
interface Row {
  readonly part: string;
  readonly may: readonly string[];
}

const shell = ["protocol/", "net/", "storage/", "platform/", "texts/"];
/** What the page uses besides its own files: nothing that needs Node. */
const inBrowser = ["client/core/", "protocol/", "texts/texts.ts"];
const startFunctions = ["broker", "proxy", "reference", "server", "bot", "gateway", "game"].map(
  (role) => `${role}/main.ts`,
);

/** The files of the client library that other roles may import. */
const library = ["connection", "session", "game-client", "game-links"].map((a) => `client/${a}.ts`);

const commandLine = ["called-command.ts", "client-commands.ts", "process-commands.ts", "client/"];

/** What the commands that run a process import, besides each role's `main.ts`. */
const processCode = ["cluster/", "backup/", "client-commands.ts", "client/commands/"];

/** A server's own code, by which trials read what a replica holds, and find an engine. */
const trialed = ["config", "core/step", "engine/postgres/connect"].map((a) => `server/${a}.ts`);

const backedUp = [
  ...["step", "facts", "replica/state-machine"].map((file) => `core/${file}`),
  ...["peer-links", "config", "engine/engine"],
  ...["move-in", "start"].map((file) => `engine/postgres/${file}`),
].map((file) => `server/${file}.ts`);

const serverShell = ["server/shell.ts", "server/repair-watch.ts", "server/surroundings.ts"];

/** A file belongs to the first row that fits it, so a narrower part comes before a wider one. */
const table: readonly Row[] = [
  { part: "broker/core/", may: ["broker/core/", "protocol/"] },
  { part: "proxy/core/", may: ["proxy/core/", "protocol/"] },
  { part: "zmtp/", may: ["zmtp/"] },
  { part: "reference/core/", may: ["reference/core/", "protocol/"] },
  // The log and the election know nothing about the content of events.
  {
    part: "server/core/replica/",
    may: ["server/core/replica/", "server/core/effects.ts", "protocol/"],
  },
  {
    part: "server/core/coordinator/",
    may: ["coordinator/", "replica/", "effects.ts"]
      .map((one) => `server/core/${one}`)
      .concat("protocol/"),
  },
  // `effects.ts` has the inputs and effects of all parts of a core, and imports none of the parts.
  { part: "server/core/effects.ts", may: ["protocol/"] },
  { part: "server/core/", may: ["server/core/", "protocol/"] },
  // `client/core/` imports only the type of the texts. The texts themselves arrive as a value.
  { part: "client/core/", may: ["client/core/", "protocol/", "texts/texts.ts"] },
  { part: "bot/core/", may: ["bot/core/", "protocol/"] },
  { part: "game/core/", may: ["game/core/", "protocol/"] },
  { part: "gateway/core/", may: ["gateway/core/", "protocol/"] },
  { part: "gateway/web/core/", may: ["gateway/web/core/", ...inBrowser] },
  { part: "gateway/web/", may: ["gateway/web/", "gateway/core/", ...inBrowser] },
  { part: "trials/chaos/core/", may: ["trials/chaos/core/", "protocol/"] },
  { part: "protocol/", may: ["protocol/"] },
  // `protocol/` declares the port for hashes, and `digest.ts` implements it with Node's functions.
  { part: "platform/digest.ts", may: ["platform/", "protocol/event.ts", "protocol/ids.ts"] },
  // `harmless` is for text that goes to a terminal, `plain-text` for text from a file.
  {
    part: "platform/",
    may: [
      "platform/",
      "protocol/harmless.ts",
      "protocol/password-work.ts",
      "protocol/plain-text.ts",
    ],
  },
  { part: "texts/", may: ["texts/", "protocol/", "platform/"] },
  { part: "net/", may: ["net/", "zmtp/", "protocol/", "platform/"] },
  { part: "storage/", may: ["storage/", "protocol/", "platform/"] },
  { part: "forwarder/", may: ["forwarder/", ...shell] },
  { part: "broker/", may: ["broker/", "forwarder/forwarder.ts", "zmtp/", ...shell] },
  { part: "proxy/", may: ["proxy/", "forwarder/forwarder.ts", "zmtp/", ...shell] },
  { part: "reference/", may: ["reference/", ...shell] },
  // A server's shell uses sockets, files and time only through its port, so that the simulation can
  // run it.
  ...serverShell.map((part) => {
    return { part, may: ["server/core/", ...serverShell, "storage/store.ts", "protocol/"] };
  }),
  { part: "server/", may: ["server/", ...shell] },
  { part: "client/", may: ["client/", ...shell] },
  { part: "bot/", may: ["bot/", ...shell, ...library] },
  { part: "game/", may: ["game/", ...shell, ...library] },
  { part: "gateway/", may: ["gateway/", ...shell, ...library, "client/core/cluster-status.ts"] },
  { part: "cluster/doctor/core/", may: ["cluster/doctor/core/", "protocol/", "texts/texts.ts"] },
  { part: "cluster/", may: ["cluster/", ...shell] },
  // A backup is made by a replica of its own, which asks the servers as a new server does. Its state
  // can be moved into an engine.
  { part: "backup/", may: ["backup/", ...backedUp, ...shell] },
  {
    part: "trials/",
    may: ["trials/", "cluster/child.ts", "cluster/supervisor.ts", ...shell, ...library, ...trialed],
  },
  { part: "client-commands.ts", may: ["client/", ...shell] },
  {
    part: "process-commands.ts",
    may: [...processCode, ...shell, ...startFunctions, "trials/chaos/command.ts"],
  },
  ...["called-command.ts", "cli.ts"].map((part) => ({ part, may: [...commandLine, ...shell] })),
];

/** The file that programs of other authors import as `tertulia/client`. */
const packageEntry = "client/index.ts";

/** Packages, and the only folder that may import each. Trials may import those of the engine, too. */
const packageOwners = {
  zeromq: "net/",
  "sodium-native": "zmtp/",
  "@noble/ciphers": "zmtp/",
  "fs-native-extensions": "storage/",
  pino: "platform/",
  yaml: "platform/",
  unhomoglyph: "protocol/",
  inquirer: "client/",
  "get-east-asian-width": "client/core/",
  preact: "gateway/web/",
  pg: "server/engine/postgres/",
  ioredis: "server/engine/redis/",
} as const;

/** For each `core/` and for `protocol/`, which may also import a table of letters. */
const purePackages = ["node:assert", "node:assert/strict"];
const protocolPackages = [...purePackages, "unhomoglyph"];
/** For `zmtp/`: functions that encrypt and decrypt, with keys that arrive as arguments. */
const zmtpPackages = [...purePackages, "sodium-native", "@noble/ciphers/salsa.js"];
/** For the chat's core: a function that returns the width of a character. */
const chatPackages = [...purePackages, "get-east-asian-width"];

/** Timers and clocks, which a core may not use, because it gets the time as a value. */
const impure = [/\bset(?:Timeout|Interval|Immediate)\b/g, /\bperformance\.\w+/g];

/** Globals that only `platform/` may use. */
const machine = [
  // A variable may also be called `process`, so only the members of Node's `process` count.
  new RegExp(`(?<![-.#\\w])process\\??\\.(?:${membersOfProcess().join("|")})\\b`, "g"),
  /(?<![-.#\w])console\.\w+/g,
  /\bDate\.now\b/g,
  /\bnew Date\(\)/g,
  /\bMath\.random\b/g,
];

function membersOfProcess(): string[] {
  const emitter = ["on", "once", "off", "emit", "addListener", "removeListener"];
  const child = ["send", "connected", "disconnect", "channel"];
  return [...Object.keys(process), ...emitter, ...child].filter((name) => /^\w+$/.test(name));
}

/** The files besides `platform/` that may use globals of `machine`: which globals, and why. */
const machineExceptions: readonly { file: string; uses: readonly string[]; why: string }[] = [
  { file: "cli.ts", uses: ["process.env"], why: "hands the environment to the settings" },
  { file: "client-commands.ts", uses: ["process.env"], why: "asks what the terminal can show" },
  { file: "gateway/web/browser.ts", uses: ["Date.now", "Math.random"], why: "is not run by Node" },
  { file: "trials/postgres.ts", uses: ["process.kill"], why: "kills all processes of a database" },
  { file: "trials/trial-database.ts", uses: ["process.env"], why: "tests name an engine there" },
  {
    file: "cluster/child.ts",
    uses: ["process.execPath", "process.env"],
    why: "starts another process just like this one",
  },
];

interface Source {
  readonly path: string;
  /** The text of a file without comments. */
  readonly code: string;
  /** The project's own files that the file imports, as paths below `src/`. */
  readonly own: readonly string[];
  readonly packages: readonly string[];
}

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "src");
const sources = readdirSync(root, { recursive: true, encoding: "utf8" })
  .map((path) => path.replaceAll("\\", "/"))
  .filter((path) => /\.tsx?$/.test(path) && !path.endsWith(".d.ts"))
  .sort()
  .map(readSource);

function readSource(path: string): Source {
  const text = readFileSync(join(root, path), "utf8");
  const code = text.replace(/\/\*[\s\S]*?\*\//g, " ").replace(/(^|\s)\/\/.*$/gm, "$1");
  const pattern = /\bfrom\s+"([^"]+)"|\bimport\(\s*"([^"]+)"\s*\)|\bimport\s+"([^"]+)"/g;
  const imports = [...code.matchAll(pattern)].map(
    (match) => match[1] ?? match[2] ?? match[3] ?? "",
  );
  const own = imports.filter((name) => name.startsWith("."));
  return {
    path,
    code,
    own: own.map((name) => posix.join(posix.dirname(path), name)),
    packages: imports.filter((name) => !name.startsWith(".")),
  };
}

function fits(path: string, part: string): boolean {
  return part.endsWith("/") ? path.startsWith(part) : path === part;
}

const isCore = ({ path }: Source): boolean => path.includes("/core/");
const pureParts = ["protocol/", "zmtp/", ...serverShell];
const isPure = (source: Source): boolean =>
  isCore(source) || pureParts.some((part) => fits(source.path, part));

/** The package of an import: `@scope/name/file` belongs to `@scope/name`, `name/file` to `name`. */
function packageOf(name: string): string {
  return name
    .split("/")
    .slice(0, name.startsWith("@") ? 2 : 1)
    .join("/");
}

/** Fails if there are breaches, and shows all of them, one sentence each. */
function expectNone(breaches: readonly string[]): void {
  expect(breaches, `\n${breaches.join("\n")}\n`).toEqual([]);
}

test("the table allows every import of the project's own files", () => {
  const breaches = sources.flatMap(({ path, own }) => {
    const row = table.find(({ part }) => fits(path, part));
    if (row === undefined) return [`src/${path} is in no row of the table: give its folder one`];
    return own
      .filter((target) => !row.may.some((part) => fits(target, part)))
      .map(
        (target) => `src/${path} imports ${target}; ${row.part} may import ${row.may.join(" ")}`,
      );
  });
  expectNone(breaches);
});

test("every import names a file that exists, with its extension", () => {
  const present = new Set(sources.map(({ path }) => path));
  const breaches = sources.flatMap(({ path, own }) =>
    own
      .filter((target) => !present.has(target))
      .map((target) => `src/${path} imports ${target}, which is no file of src/`),
  );
  expectNone(breaches);
});

test("no file imports itself through other files", () => {
  const imports = new Map(sources.map(({ path, own }) => [path, own]));
  const done = new Set<string>();
  const breaches: string[] = [];
  function visit(path: string, above: readonly string[]): void {
    const first = above.indexOf(path);
    if (first >= 0) breaches.push([...above.slice(first), path].join(" → "));
    if (first >= 0 || done.has(path)) return;
    for (const target of imports.get(path) ?? []) visit(target, [...above, path]);
    done.add(path);
  }
  for (const { path } of sources) visit(path, []);
  expectNone(breaches);
});

test("no file outside `trials/` imports trials statically, so only the commands that run trials load this code", () => {
  const breaches = sources
    .filter(({ path }) => !path.startsWith("trials/"))
    .filter(({ code }) => /\b(?:from|import)\s+"[^"]*\btrials\//.test(code))
    .map(
      ({ path }) => `src/${path} always loads trials/: use import() in the command that needs it`,
    );
  expectNone(breaches);
});

test("no file has a default export", () => {
  const pattern = /^\s*export\s+default\b|\bas\s+default\b/m;
  const breaches = sources
    .filter(({ code }) => pattern.test(code))
    .map(({ path }) => `src/${path} has a default export: give it a name`);
  expectNone(breaches);
});

test("only the package's entry exports again what another file exports", () => {
  const pattern = /^\s*export\s+(?:type\s+)?(?:\*|\{[^}]*\})[^;]*?\sfrom\s+"/m;
  const breaches = sources
    .filter(({ code, path }) => pattern.test(code) || /(^|\/)index\.tsx?$/.test(path))
    .filter(({ path }) => path !== packageEntry)
    .map(({ path }) => `src/${path} is a barrel: import from the file that has the thing`);
  expectNone(breaches);
});

test("the package exports only `client` and package.json, and no file of the project imports the file behind `client`", () => {
  const { exports } = JSON.parse(readFileSync(join(root, "..", "package.json"), "utf8"));
  const built = `./dist/${packageEntry.replace(/\.ts$/, "")}`;
  expect(exports).toEqual({
    "./client": { types: `${built}.d.ts`, default: `${built}.js` },
    "./package.json": "./package.json",
  });
  const breaches = sources
    .filter(({ own }) => own.includes(packageEntry))
    .map(
      ({ path }) => `src/${path} imports ${packageEntry}: import from the file that has the thing`,
    );
  expectNone(breaches);
});

test("cores, a server's shell, `protocol/` and `zmtp/` import only the packages and Node modules listed for them", () => {
  const breaches = sources.filter(isPure).flatMap(({ path, packages }) => {
    const isProtocol = path.startsWith("protocol/");
    const isChat = path.startsWith("client/core/");
    const isZmtp = path.startsWith("zmtp/");
    const more = isProtocol ? protocolPackages : isChat ? chatPackages : purePackages;
    const allowed = isZmtp ? zmtpPackages : more;
    return packages
      .filter((name) => !allowed.includes(name))
      .map((name) => `src/${path} imports ${name}: what it needs has to arrive as a value`);
  });
  expectNone(breaches);
});

test("cores, a server's shell, `protocol/` and `zmtp/` do not use timers, clocks, random numbers or the process", () => {
  const breaches = sources.filter(isPure).flatMap(({ path, code }) =>
    [...impure, ...machine].flatMap((pattern) => {
      return [...new Set(code.match(pattern))].map(
        (use) => `src/${path} uses ${use}: take it as an argument`,
      );
    }),
  );
  expectNone(breaches);
});

test("an npm package that belongs to one folder is imported only by files of this folder", () => {
  const breaches = sources.flatMap(({ path, packages }) =>
    Object.entries(packageOwners)
      .filter(([name, owner]) => packages.some((p) => packageOf(p) === name) && !fits(path, owner))
      .filter(([, owner]) => !(fits(path, "trials/") && fits(owner, "server/engine/")))
      .map(([name, owner]) => `src/${path} imports ${name}, which is ${owner}'s alone`),
  );
  expectNone(breaches);
});

test("only `platform/` and the listed exceptions use the process, the console, the clock and random numbers", () => {
  const breaches = sources
    .filter((source) => !source.path.startsWith("platform/") && !isPure(source))
    .flatMap(({ path, code }) => {
      const allowed = machineExceptions.find(({ file }) => file === path)?.uses ?? [];
      const uses = new Set(machine.flatMap((pattern) => code.match(pattern) ?? []));
      return [...uses]
        .filter((use) => !allowed.includes(use))
        .map((use) => `src/${path} uses ${use}: put it behind a function of platform/`);
    });
  expectNone(breaches);
});

test("each file in the list of exceptions still contains the uses that the list allows", () => {
  const breaches = machineExceptions.flatMap(({ file, uses }) => {
    const source = sources.find(({ path }) => path === file);
    return uses
      .filter((use) => !source?.code.includes(use))
      .map((use) => `src/${file} no longer uses ${use}: take it off the list of exceptions`);
  });
  expectNone(breaches);
});

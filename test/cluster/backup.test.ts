import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openClusterLink } from "../../src/backup/cluster-link.ts";
import { collect } from "../../src/backup/collect.ts";
import { countsOf } from "../../src/backup/state.ts";
import type { Session } from "../../src/client/session.ts";
import { digest } from "../../src/platform/digest.ts";
import { addressesOf } from "../../src/platform/endpoint.ts";
import { Settings } from "../../src/platform/settings.ts";
import { parseChannelName, parseUserName, type ServerName } from "../../src/protocol/ids.ts";
import type { Entry } from "../../src/protocol/publications.ts";
import type { Vector } from "../../src/protocol/vector.ts";
import { verifyFolder } from "../../src/storage/verify.ts";
import { textsIn } from "../../src/texts/texts.ts";
import { LocalCluster, type LocalClusterOptions } from "../../src/trials/local-cluster.ts";
import { describeReplicas } from "../support/describe-replicas.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";
import { until } from "../support/until.ts";
import { CliProcess, type Ended } from "../terminal/cli-process.ts";
import { stopEqual, Writer } from "./writer.ts";

const closing: (() => PromiseLike<unknown> | unknown)[] = [];
let place: TemporaryFolder;

beforeEach(async () => {
  place = await temporaryFolder();
  closing.push(() => place[Symbol.asyncDispose]());
});

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const inPlace = (name: string) => join(place.path, name);

async function start(data: string, options: LocalClusterOptions = {}): Promise<LocalCluster> {
  const cluster = await LocalCluster.start({ data: inPlace(data), ...options });
  closing.push(() => cluster.stop());
  return cluster;
}

async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  using command = new CliProcess(args, env);
  return await command.end();
}

function backUp(cluster: LocalCluster, file: string, ...more: string[]): Promise<Ended> {
  return run(["backup", file, "--json", ...more], {
    TERTULIA_DATA: cluster.folder,
    TERTULIA_REFERENCE: addressesOf([cluster.endpoints.reference]),
  });
}

function restore(file: string, data: string, ...more: string[]): Promise<Ended> {
  return run(["restore", file, "--data", inPlace(data), "--json", ...more]);
}

const told = ({ stdout }: Ended) => JSON.parse(stdout) as { vector: Vector; counts: object };

const sentenceOf = ({ code, stderr }: Ended) => ({ code, sentence: stderr.trimEnd() });

function within(vector: Vector) {
  return ({ server, seq }: { server: ServerName; seq: number }) => seq <= (vector[server] ?? 0);
}

function entriesIn(data: string, file: string): Entry[] {
  return JSON.parse(readFileSync(join(inPlace(data), "servers", "1", file), "utf8")) as Entry[];
}

const password = (user: string) => `the long password of ${user}`;

async function registered(cluster: LocalCluster, user: string): Promise<Session> {
  const client = cluster.client({ deadlineMs: 30_000 });
  await client.register(parseUserName(user), password(user));
  await client.login(parseUserName(user), password(user));
  return client;
}

describeReplicas("a backup of a running cluster", { timeout: 240_000 }, () => {
  test("[O53] [O54] a backup of a cluster with accounts, made under load, restores to the same state, and two empty servers fetch it", async () => {
    // The servers save their states often, so the copy has both a saved state and later events.
    const settings = () => ({ TERTULIA_CHECKPOINT_BYTES: "20000" });
    const source = await start("source", { auth: "required", settings });
    const ana = await registered(source, "ana");
    const bia = await registered(source, "bia");
    const geral = parseChannelName("geral");
    await ana.createChannel(geral);
    for (let count = 0; count < 50; count += 1) {
      await ana.message(parseUserName("bia"), `private ${count}`);
    }
    const sent: string[] = [];
    let isStopped = false;
    const load = (async () => {
      while (!isStopped) {
        const text = `message ${sent.length}`;
        await bia.publish(geral, text);
        sent.push(text);
      }
    })();
    const states = ["1", "2", "3"].map((slot) => inPlace(`source/servers/${slot}/checkpoint.json`));
    const isSaved = () => sent.length > 200 && states.every((path) => existsSync(path));
    await until(isSaved, "there are messages, and each server has a saved state", 60_000);
    writeFileSync(inPlace("key"), "a key of the backup\n");
    const keyFile = ["--key-file", inPlace("key")];
    const before = [...sent];
    const made = await backUp(source, inPlace("file"), ...keyFile);
    expect(made).toMatchObject({ code: 0, stderr: "" });
    isStopped = true;
    await load;
    await stopEqual(source);

    const restored = await restore(inPlace("file"), "target", ...keyFile);
    expect(restored).toMatchObject({ code: 0, stderr: "" });
    const { vector, counts } = told(restored);
    expect({ vector, counts }).toEqual({ vector: told(made).vector, counts: told(made).counts });
    expect(verifyFolder(join(inPlace("target"), "servers", "1"), digest).damages).toEqual([]);
    // Nobody changes an account under load, and accounts name no event.
    expect(entriesIn("target", "accounts.json")).toEqual(entriesIn("source", "accounts.json"));
    for (const file of ["publications.json", "messages.json"]) {
      const expected = entriesIn("source", file).filter(within(vector));
      expect(entriesIn("target", file), file).toEqual(expected);
    }
    const texts = new Set(entriesIn("target", "publications.json").map(({ message }) => message));
    expect(before.filter((text) => !texts.has(text))).toEqual([]);

    const target = await start("target", { auth: "required" });
    expect(target.of("server").map(({ ready }) => ready?.name)).not.toContain(
      source.server(1).ready?.name,
    );
    for (let count = 0; count < 6; count += 1) {
      const again = target.client({ deadlineMs: 30_000 });
      await again.login(parseUserName("ana"), password("ana"));
      const { entries } = await again.history({ user: parseUserName("ana") }, { limit: 50 });
      expect(entries.map(({ message }) => message)).toEqual(
        Array.from({ length: 50 }, (_, index) => `private ${index}`),
      );
    }
    const caio = await registered(target, "caio");
    await caio.publish(geral, "after the restore");
    await expect(registered(target, "ana")).rejects.toMatchObject({ code: "name_taken" });
    const last = (await stopEqual(target)).at(-1);
    expect(last?.message).toBe("after the restore");
  });

  test("[O54] a restored server that starts after empty servers brings them its messages, and loses none of theirs", async () => {
    const source = await start("source", { servers: 1 });
    const old = await Writer.start(source, { channel: "antes" });
    await old.progress(100);
    await old.stop();
    expect(await backUp(source, inPlace("file"))).toMatchObject({ code: 0 });
    await source.stop();
    expect(await restore(inPlace("file"), "restored")).toMatchObject({ code: 0 });

    const target = await start("target");
    const fresh = await Writer.start(target, { channel: "depois", text: " fresh" });
    await fresh.progress(100);
    renameSync(inPlace("restored/servers/1"), inPlace("target/servers/4"));
    await target.addServer();
    await fresh.progress(100);
    await fresh.stop();
    const client = target.client({ deadlineMs: 30_000 });
    await until(async () => (await client.status()).view?.members.length === 4, "all are members");
    const entries = await stopEqual(target);
    const texts = new Set(entries.map(({ message }) => message));
    const all = [...old.acknowledged.keys(), ...fresh.acknowledged.keys()];
    expect(all.filter((text) => !texts.has(text))).toEqual([]);
  });

  test("[O53] if the server that is copied stops, another server is copied", async () => {
    const source = await start("source");
    const writer = await Writer.start(source);
    await writer.progress(1_500);
    await writer.stop();
    const env = { TERTULIA_REFERENCE: source.endpoints.reference };
    const settings = new Settings({ data: source.folder }, env);
    using link = openClusterLink(settings, textsIn("en"));
    mkdirSync(inPlace("work"));
    const asked: ServerName[] = [];
    const failed: ServerName[] = [];
    const peers: typeof link.peers = {
      snapshot: (...args) => link.peers.snapshot(...args),
      async sync(peer, address, request) {
        if (Object.keys(request.durable).length > 0 && asked.length === 0) {
          // The copy of the first server has begun: this is its second page.
          source
            .of("server")
            .find(({ ready }) => ready?.name === peer)
            ?.signal("SIGSTOP");
          asked.push(peer);
        }
        return link.peers.sync(peer, address, request);
      },
    };
    const { replica } = await collect({
      ...link,
      peers,
      folder: inPlace("work"),
      signal: new AbortController().signal,
      onFailed: (server) => failed.push(server),
    });
    expect(failed).toEqual(asked);
    expect(asked).toHaveLength(1);
    expect(countsOf(replica.checkpoint()).publications).toBeGreaterThanOrEqual(1_500);
    for (const server of source.of("server")) server.signal("SIGCONT");
  });

  test("[O53] a cluster with one of three servers down is backed up, and one with two down is not", async () => {
    const source = await start("source");
    const writer = await Writer.start(source);
    await writer.progress(50);
    await writer.stop();
    source.server(1).signal("SIGSTOP");
    const made = await backUp(source, inPlace("file"));
    expect(made).toMatchObject({ code: 0 });
    expect(told(made).counts).toMatchObject({ channels: 1 });
    source.server(2).signal("SIGSTOP");
    expect(sentenceOf(await backUp(source, inPlace("other")))).toEqual({
      code: 1,
      sentence:
        "tertulia: Servers that answered: 1 of 3, and 2 are needed to have every message: " +
        "start the others again.",
    });
    using stopped = new CliProcess(["backup", inPlace("other")], {
      TERTULIA_DATA: source.folder,
      TERTULIA_REFERENCE: source.endpoints.reference,
    });
    await until(() => existsSync(inPlace("other.tmp")), "the backup has begun");
    stopped.child.kill("SIGTERM");
    expect(sentenceOf(await stopped.end())).toEqual({
      code: 1,
      sentence: `tertulia: The backup was stopped; ${inPlace("other")} was not written.`,
    });
    expect(readdirSync(place.path).sort()).toEqual(["file", "source"]);
    for (const server of source.of("server")) server.signal("SIGCONT");
  });

  test("[O53] [O54] `backup` and `restore` refuse what would overwrite or can't be read, and say what to do", async () => {
    const source = await start("source", { servers: 1, curve: true });
    const curve = ["--curve"];
    const file = inPlace("file");
    expect(await backUp(source, file, ...curve)).toMatchObject({ code: 0 });
    const refused = async (ended: Promise<Ended>, code: 1 | 2, words: string) => {
      const { code: found, sentence } = sentenceOf(await ended);
      expect(sentence).toContain(words);
      expect(found).toBe(code);
      expect(sentence.split("\n")).toHaveLength(1);
    };
    await refused(backUp(source, file, ...curve), 1, "exists already");
    await refused(backUp(source, inPlace("no/file"), ...curve), 1, "There is no folder");
    await refused(backUp(source, inPlace("b")), 1, "requires encryption");
    const key = inPlace("key");
    writeFileSync(key, "short\n");
    const keyFile = ["--key-file", key];
    await refused(backUp(source, inPlace("b"), ...curve, ...keyFile), 2, "shorter than 16");
    await refused(backUp(source, inPlace("b"), "--key-file", inPlace("none")), 2, "ENOENT");
    writeFileSync(key, "a key that is long enough\n");
    expect(await backUp(source, inPlace("b"), ...curve, ...keyFile)).toMatchObject({ code: 0 });
    await refused(restore(inPlace("b"), "target"), 1, "name its key file by --key-file");
    await refused(restore(file, "target", ...keyFile), 1, "leave out --key-file");
    const wrong = inPlace("wrong");
    writeFileSync(wrong, "another key, long enough\n");
    await refused(restore(inPlace("b"), "target", "--key-file", wrong), 1, "can't be decrypted");
    await refused(restore(inPlace("none"), "target"), 1, "can't be read (ENOENT)");
    await refused(restore(key, "target"), 1, "is damaged or incomplete");
    expect(existsSync(inPlace("target/servers"))).toBe(false);
    await refused(restore(file, "source"), 1, "has a server or a reference already");
    expect(await restore(file, "target")).toMatchObject({ code: 0, stderr: "" });
    await refused(restore(file, "target"), 1, "has a server or a reference already");
    expect(readdirSync(inPlace("target"))).toEqual(["servers"]);
  });

  test("[O53] a backup goes through standard output into `restore`, and a person reads what it has on standard error", async () => {
    const source = await start("source", { servers: 1 });
    const writer = await Writer.start(source);
    await writer.progress(50);
    await writer.stop();
    const cli = `"${process.execPath}" dist/cli.js`;
    const env = { ...process.env, TERTULIA_REFERENCE: source.endpoints.reference, LANG: "C.UTF-8" };
    const script = `${cli} backup - --data "$SOURCE" | ${cli} restore - --data "$TARGET"`;
    const printed = execFileSync("sh", ["-c", script], {
      env: { ...env, SOURCE: source.folder, TARGET: inPlace("target") },
      encoding: "utf8",
      stdio: "pipe",
    });
    expect(printed).toContain(`Restored into ${inPlace("target")}`);
    expect(printed).toContain("Start this server first");
    expect(entriesIn("target", "publications.json").length).toBeGreaterThanOrEqual(50);

    // Nobody reads the backup, so the process ends while it writes.
    mkdirSync(inPlace("tmp"));
    const unread = `${cli} backup - --data "$SOURCE" 2>"$SAID" | true`;
    const said = inPlace("said");
    execFileSync("sh", ["-c", unread], {
      env: { ...env, SOURCE: source.folder, SAID: said, TMPDIR: inPlace("tmp") },
    });
    expect(readFileSync(said, "utf8")).toContain("The output was closed before");
    expect(readdirSync(inPlace("tmp"))).toEqual([]);
  });

  test("[O53] a backup on a full disk says so, leaves no file behind, and does not disturb the cluster", async (context) => {
    const disk = inPlace("disk");
    mkdirSync(disk);
    try {
      const args = ["-t", "tmpfs", "-o", "size=64k", "tmpfs", disk];
      execFileSync("mount", args, { stdio: "ignore" });
    } catch {
      return context.skip("needs Linux, and root to mount a small disk");
    }
    closing.push(() => execFileSync("umount", [disk]));
    const source = await start("source", { servers: 1 });
    const writer = await Writer.start(source);
    await writer.progress(1_000);
    const ended = sentenceOf(await backUp(source, join(disk, "file")));
    await writer.progress(50);
    await writer.stop();
    expect(ended.sentence).toContain("because the disk is full: free some space.");
    expect(ended.code).toBe(1);
    expect(readdirSync(disk)).toEqual([]);
  });
});

import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { until } from "../support/until.ts";
import { cliFile } from "../terminal/cli-process.ts";

const ops = fileURLToPath(new URL("../../ops/", import.meta.url));

test("[O53] the command line of the systemd unit makes a backup and keeps the newest 14, and a failed backup deletes none", async (context) => {
  context.skip(LocalCluster.hasEngine, "an engine is backed up by its own tools");
  await using cluster = await LocalCluster.start({ servers: 1 });
  await using place = await temporaryFolder();
  const [bin, backups] = [join(place.path, "bin"), join(place.path, "backups")];
  for (const folder of [bin, backups]) mkdirSync(folder);
  writeFileSync(
    join(bin, "tertulia"),
    `#!/bin/sh\nexec "${process.execPath}" "${cliFile}" "$@"\n`,
    {
      mode: 0o755,
    },
  );
  symlinkSync(join(ops, "backup.sh"), join(bin, "tertulia-backup"));
  const names = Array.from({ length: 20 }, (_, day) => {
    return `tertulia-2026-01-${String(day + 10)}T03-00-00Z.backup`;
  });
  for (const name of names) writeFileSync(join(backups, name), "");
  const unit = readFileSync(join(ops, "systemd", "tertulia-backup.service"), "utf8");
  const [, command = ""] = /^ExecStart=(.*)$/m.exec(unit) ?? [];
  const ownFolder = command.replace("/var/lib/tertulia-backups", backups);
  expect(ownFolder).not.toBe(command);
  const run = (reference: string) =>
    execFileSync("sh", ["-c", ownFolder], {
      stdio: "pipe",
      env: {
        PATH: `${bin}:${process.env.PATH}`,
        TERTULIA_DATA: cluster.folder,
        TERTULIA_REFERENCE: reference,
      },
    });
  expect(() => run("tcp://127.0.0.1:1")).toThrow("No reference");
  expect(readdirSync(backups).sort()).toEqual(names);
  run(cluster.endpoints.reference);
  const kept = readdirSync(backups).sort();
  expect(kept).toHaveLength(14);
  expect(kept.slice(0, 13)).toEqual(names.slice(-13));
  const newest = join(backups, kept.at(-1) ?? "");
  expect(statSync(newest).mode & 0o777).toBe(0o600);
  const args = [cliFile, "restore", newest, "--data", join(place.path, "data")];
  expect(execFileSync(process.execPath, args, { encoding: "utf8" })).toContain("Restored into");
}, 120_000);

test("[O53] `ops/backup.sh` deletes no backup if it is told to keep none, or no number", async () => {
  await using place = await temporaryFolder();
  const name = "tertulia-2026-01-10T03-00-00Z.backup";
  writeFileSync(join(place.path, name), "");
  for (const count of ["0", "-1", "x"]) {
    const args = [join(ops, "backup.sh"), place.path, count];
    // The command would succeed, so only the number can be the reason.
    const env = { PATH: process.env.PATH, TERTULIA: "true" };
    const { status, stderr } = spawnSync("sh", args, { env, encoding: "utf8" });
    expect(stderr).toContain("1 or more");
    expect(status).toBe(2);
    expect(readdirSync(place.path)).toEqual([name]);
  }
});

test("[O53] `ops/backup.sh` leaves no file if it is stopped", async () => {
  await using place = await temporaryFolder();
  const script = spawn("sh", [join(ops, "backup.sh"), place.path], {
    detached: true,
    stdio: "ignore",
    env: {
      PATH: process.env.PATH,
      TERTULIA: `${process.execPath} ${cliFile}`,
      TERTULIA_REFERENCE: "tcp://127.0.0.1:1",
      TERTULIA_SECRET: "a secret of this test",
    },
  });
  const ended = once(script, "exit");
  await until(() => readdirSync(place.path).length > 0, "the script has begun");
  // As systemd stops a unit: all its processes get the signal.
  process.kill(-(script.pid ?? 0), "SIGTERM");
  await ended;
  expect(readdirSync(place.path)).toEqual([]);
});

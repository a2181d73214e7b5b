import { spawnSync } from "node:child_process";
import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "./support/temporary-folder.ts";

const unit = readFileSync("ops/systemd/tertulia@.service", "utf8");
const hasAnalyze = spawnSync("systemd-analyze", ["--version"]).status === 0;

test("[O57] the units restart a process, but not after exit code 2, and give a server time to stop", () => {
  expect(unit).toMatch(/^Restart=always$/m);
  expect(unit).toMatch(/^RestartPreventExitStatus=2$/m);
  // A server that leaves the view ends within 10 s (R11).
  expect(Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1])).toBeGreaterThan(10);
});

test("[O57] a gateway's unit has a user and a data folder of its own, not those of the other processes", () => {
  const own = readFileSync("ops/systemd/tertulia@gateway.service.d/user.conf", "utf8");
  const [, user] = /^User=(.*)$/m.exec(unit) ?? [];
  const [, ownUser] = /^User=(.*)$/m.exec(own) ?? [];
  expect([user, ownUser]).toEqual(["tertulia", "tertulia-gateway"]);
  // The empty value takes back the folder of the other processes.
  expect(own).toMatch(/^StateDirectory=\nStateDirectory=tertulia-gateway$/m);
});

test.runIf(hasAnalyze)(
  "[O57] systemd finds no fault in the units, and rates the exposure of a process as OK",
  async () => {
    await using folder = await temporaryFolder();
    cpSync("ops/systemd", folder.path, { recursive: true });
    const services = ["tertulia@server.service", "tertulia@gateway.service"];
    const units = [...services, "tertulia.target"].map((name) => join(folder.path, name));
    const verified = spawnSync("systemd-analyze", ["verify", ...units], { encoding: "utf8" });
    expect(verified).toMatchObject({ status: 0, stderr: "" });
    // The threshold is in tenths: 20 is an exposure of 2.0 of 10.
    const flags = ["security", "--offline=true", "--threshold=20", "--no-pager"];
    const rated = spawnSync("systemd-analyze", [...flags, units[0] ?? ""], { encoding: "utf8" });
    expect(rated.status, rated.stdout).toBe(0);
  },
);

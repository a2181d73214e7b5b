import { existsSync, mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Where control groups that limit processors can be made: of version 1, or of version 2. */
const roots = ["/sys/fs/cgroup/cpu", "/sys/fs/cgroup"];
/** Microseconds; short, so that a limited process never waits for long. */
const period = 10_000;

/**
 * Lets each of these processes use only a share of one processor, until it is disposed of.
 * @returns undefined if this machine does not let us, as without Linux or root
 */
export function limitProcessor(pids: readonly number[], share: number): Disposable | undefined {
  const root = roots.find((folder) => existsSync(join(folder, "cgroup.procs")));
  if (root === undefined) return undefined;
  const groups = pids.map((pid) => join(root, `tertulia-bench-${pid}`));
  const release = () => {
    for (const [at, group] of groups.entries()) {
      if (!existsSync(group)) continue;
      writeFileSync(join(root, "cgroup.procs"), `${pids[at]}`);
      rmdirSync(group);
    }
  };
  const quota = Math.round(share * period);
  try {
    for (const [at, group] of groups.entries()) {
      mkdirSync(group);
      if (existsSync(join(group, "cpu.cfs_quota_us"))) {
        writeFileSync(join(group, "cpu.cfs_period_us"), `${period}`);
        writeFileSync(join(group, "cpu.cfs_quota_us"), `${quota}`);
      } else writeFileSync(join(group, "cpu.max"), `${quota} ${period}`);
      writeFileSync(join(group, "cgroup.procs"), `${pids[at]}`);
    }
  } catch {
    release();
    return undefined;
  }
  return { [Symbol.dispose]: release };
}

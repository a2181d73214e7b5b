import { Etcd3 } from "etcd3";
import { freePorts } from "../../src/trials/free-ports.ts";
import { messageText } from "../message.ts";
import type { Workload } from "../workload.ts";
import { measureWrites } from "../write-loads.ts";
import { missingProgram, Programs, untilReady } from "./server-program.ts";

const program = "etcd";
const members = 3;

export const etcd: Workload = {
  name: "etcd",
  description: "etcd, three members: puts on a majority's disks",
  missing: () => missingProgram(program),
  async measure(trial) {
    await using programs = await Programs.make();
    const hosts = await startMembers(programs);
    const clients: Etcd3[] = [];
    const opened = (at: number) => {
      const client = new Etcd3({ hosts: hosts[at % members] ?? [] });
      clients.push(client);
      return client;
    };
    let key = 0;
    try {
      await untilReady(() => opened(0).put("ready").value("").exec());
      return await measureWrites(trial, async (connections) => {
        return Array.from({ length: connections }, (_, at) => {
          const client = opened(at);
          return () => {
            key += 1;
            return client.put(`bench/${key}`).value(messageText).exec();
          };
        });
      });
    } finally {
      for (const client of clients) client.close();
    }
  },
};

/** Starts the members. @returns the addresses at which they serve clients */
async function startMembers(programs: Programs): Promise<string[]> {
  const ports = await freePorts(2 * members);
  const urls = ports.map((port) => `http://127.0.0.1:${port}`);
  const [clients, peers] = [urls.slice(0, members), urls.slice(members)];
  const all = peers.map((url, index) => `member${index}=${url}`).join(",");
  for (const [index, url] of clients.entries()) {
    const peer = peers[index] ?? "";
    const flags = {
      name: `member${index}`,
      "data-dir": programs.path(String(index)),
      "listen-client-urls": url,
      "advertise-client-urls": url,
      "listen-peer-urls": peer,
      "initial-advertise-peer-urls": peer,
      "initial-cluster": all,
      "log-level": "error",
    };
    programs.start(program, ...Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`));
  }
  return clients;
}

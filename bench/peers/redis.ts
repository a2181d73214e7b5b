import { Redis } from "ioredis";
import { freePorts } from "../../src/trials/free-ports.ts";
import { Audience, fanOut, fanOutFigures } from "../audience.ts";
import { numbered } from "../message.ts";
import { rawFanOut } from "../raw.ts";
import type { Workload } from "../workload.ts";
import { missingProgram, Programs } from "./server-program.ts";

const program = "redis-server";
const inFlight = 512;
const listener = new URL("redis-listener.ts", import.meta.url);

export const redis: Workload = {
  name: "redis",
  description: "Redis pub/sub: one publisher, ten subscriber processes, nothing is stored",
  missing: () => missingProgram(program),
  async measure({ seconds }) {
    await using programs = await Programs.make();
    const [port = 0] = await freePorts(1);
    const flags = ["--port", `${port}`, "--bind", "127.0.0.1", "--save", "", "--dir"];
    programs.start(program, ...flags, programs.path("."));
    const client = new Redis(port, { enableAutoPipelining: true });
    // While the server starts, attempts to connect fail and are repeated.
    client.on("error", () => {});
    try {
      await client.ping();
      using audience = await Audience.start(listener);
      await audience.open(String(port));
      const publish = (number: number) => client.publish("bench", numbered(number));
      const live = await fanOut({ audience, publish, inFlight, seconds });
      return fanOutFigures("live", live, await rawFanOut(seconds));
    } finally {
      client.disconnect();
    }
  },
};

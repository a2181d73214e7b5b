import { measure } from "./measure.ts";
import { roundTrips } from "./raw.ts";
import type { Figure, Trial } from "./workload.ts";

/** How many writes are open at once, on how many connections. */
const loads = [
  { name: "1 in flight", connections: 1, inFlight: 1 },
  { name: "32 in flight", connections: 1, inFlight: 32 },
  { name: "512 in flight", connections: 1, inFlight: 512 },
  { name: "64 connections, 8 in flight each", connections: 64, inFlight: 512 },
] as const;

const warmUpSeconds = 2;

/** Writes `messageText`, and resolves when the write is acknowledged. */
export type Write = () => Promise<unknown>;

/**
 * Measures writes of 120 bytes beside round trips of bare ZeroMQ.
 * @param open returns a function for each of so many connections
 */
export async function measureWrites(
  { seconds, beside }: Trial,
  open: (connections: number) => Promise<readonly Write[]>,
): Promise<Figure[]> {
  const [first] = await open(1);
  // The processes of a new system have not compiled their code yet.
  await measure(() => first?.(), { inFlight: 512, seconds: warmUpSeconds });
  const found: Figure[] = [];
  for (const { name, connections, inFlight } of loads) {
    const writers = await open(connections);
    const load = { inFlight, seconds };
    const written = () => measure((_index, lane) => writers[lane % connections]?.(), load);
    found.push(...(await beside(name, written, () => roundTrips(load, connections))));
  }
  return found;
}

import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Servers that tests start have the engine that this variable names, if it is set.
    globalSetup: process.env.TERTULIA_TEST_ENGINE === "own" ? ["test/support/own-engine.ts"] : [],
    // Native sockets and file locks want a process of their own, not a thread.
    pool: "forks",
    // Many tests wait for processes more than they work: on two cores, too, two at a time.
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 20_000,
    teardownTimeout: 5_000,
  },
});

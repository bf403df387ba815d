import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { conditions: ["huishi-source"] },
  ssr: { resolve: { conditions: ["huishi-source"] } },
  test: {
    include: [
      "{packages,services}/*/src/**/*.test.{ts,tsx}",
      "{edge-agent,dashboard}/src/**/*.test.{ts,tsx}",
      "deploy/*/src/**/*.test.ts",
      "bench/**/*.test.ts",
    ],
    globalSetup: ["packages/testkit/src/vitest-global-setup.ts"],
    setupFiles: ["./vitest.setup.ts"],
    pool: "forks",
    maxWorkers: 2,
    // Real cameras, browsers and databases share two cores in CI: a test that fails there is tried once more.
    retry: process.env["CI"] === undefined ? 0 : 1,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});

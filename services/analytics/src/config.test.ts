import { describe, expect, it } from "vitest";
import { readConfig } from "./config.ts";

const env = { DATABASE_URL: "postgres://huishi:hunter2@db/huishi", HUISHI_NATS_URL: "nats://127.0.0.1:4222" };

describe("the configuration of analytics", () => {
  it("needs a database and a NATS server, and has defaults for the rest", () => {
    expect(readConfig(env)).toMatchObject({
      databaseUrl: env.DATABASE_URL,
      mediaBus: { host: "127.0.0.1", port: 4222, isSecured: false },
      sampleFps: 5,
      healthHost: "127.0.0.1",
      healthPort: 9092,
      logLevel: "info",
    });
  });

  it("takes name, capacity, processes and rate", () => {
    expect(
      readConfig({
        ...env,
        HUISHI_WORKER_NAME: "gpu-1",
        HUISHI_WORKER_CAPACITY: "2.5",
        HUISHI_INFERENCE_PROCESSES: "4",
        HUISHI_SAMPLE_FPS: "2.5",
      }),
    ).toMatchObject({ worker: { name: "gpu-1", capacity: 2.5 }, inferenceProcesses: 4, sampleFps: 2.5 });
  });

  it("says what to do without a media bus that crosses processes", () => {
    expect(() => readConfig({ DATABASE_URL: env.DATABASE_URL })).toThrow(
      expect.objectContaining({ code: "MEDIA_BUS_IN_PROCESS_ONLY" }),
    );
  });

  it.each([
    ["HUISHI_DATABASE_URL", "mysql://hunter2"],
    ["HUISHI_WORKER_NAME", "a b"],
    ["HUISHI_WORKER_CAPACITY", "0"],
    ["HUISHI_WORKER_CAPACITY", "0.00"],
    ["HUISHI_INFERENCE_PROCESSES", "0"],
    ["HUISHI_SAMPLE_FPS", "100"],
    ["HUISHI_HEALTH_PORT", "x"],
    ["HUISHI_LOG_LEVEL", "loud"],
  ])("names %s when it is wrong and never shows its value", (name, value) => {
    try {
      readConfig({ ...env, [name]: value });
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ code: "CONFIG_INVALID", details: { names: [name] } });
      expect((error as Error).message).not.toContain("hunter2");
    }
  });
});

import { expect, test } from "vitest";
import { createLogger } from "./logger.ts";
import { Metrics } from "./metrics.ts";
import { Shutdown } from "./shutdown.ts";

test("parts close once, in reverse order, and one that fails stops no other", async () => {
  const closed: string[] = [];
  const shutdown = new Shutdown(createLogger({ name: "test", level: "silent" }));
  shutdown.add("database", () => void closed.push("database"));
  shutdown.add("ingest", () => Promise.reject(new Error("stuck")));
  shutdown.add("api", () => void closed.push("api"));
  await Promise.all([shutdown.run(), shutdown.run()]);
  expect(closed).toEqual(["api", "database"]);
});

test("metrics keep to the house form of names", async () => {
  const metrics = new Metrics();
  metrics.counter({ name: "huishi_events_total", help: "Events." }).inc(3);
  expect(await metrics.text()).toContain("huishi_events_total 3");
  expect(() => metrics.counter({ name: "huishi_events", help: "" })).toThrow(/_total/);
  expect(() => metrics.gauge({ name: "events_total", help: "" })).toThrow(/huishi_/);
});

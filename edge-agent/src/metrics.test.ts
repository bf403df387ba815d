import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { EdgeMetrics } from "./metrics.ts";
import { calmCamera, calmState } from "./test-support/calm-state.ts";

const NAMES = /^# HELP (\S+) /gm;

test("what is not known is not there: no 0 that nobody measured", async () => {
  const state = calmState({
    configuration: null,
    recording: null,
    cameras: [calmCamera({ clockOffsetMs: null })],
  });
  const text = await new EdgeMetrics(async () => state).text();
  expect(text).not.toMatch(/^huishi_edge_config_revision/m);
  expect(text).not.toMatch(/^huishi_edge_recording_age_seconds/m);
  expect(text).not.toMatch(/^huishi_edge_camera_clock_offset_seconds\{/m);
  expect(text).toMatch(/^huishi_edge_stream_frames_per_second\{camera="cam-north",profile="sub"\} 12.5$/m);
  expect(text).toMatch(/^huishi_edge_camera_condition\{camera="cam-north",condition="online"\} 1$/m);
});

test("a condition that passed is gone at the next reading", async () => {
  let state = calmState({ cameras: [calmCamera({ condition: "unreachable" })] });
  const metrics = new EdgeMetrics(async () => state);
  expect(await metrics.text()).toContain('condition="unreachable"');
  state = calmState({ configuration: { revision: 8, state: "applied" } });
  const text = await metrics.text();
  expect(text).not.toContain("unreachable");
  expect(text).toMatch(/^huishi_edge_config_revision 8$/m);
});

test("the centre's answer is bounded and says what it left out", async () => {
  const cameras = Array.from({ length: 500 }, (_, i) => calmCamera({ id: `cam-${i}` }));
  const reply = await new EdgeMetrics(async () => calmState({ cameras })).numbers();
  expect(Object.keys(reply.numbers).length).toBeLessThanOrEqual(500);
  expect(reply.leftOut).toBeGreaterThan(4_000);
  expect(JSON.stringify(reply).length).toBeLessThan(60_000);
  expect(reply.numbers["huishi_edge_outbox_events"]).toBe(0);
});

test("every metric stands in docs/edge.md", async () => {
  const text = await new EdgeMetrics(async () => calmState()).text();
  const documented = readFileSync(new URL("../../docs/edge.md", import.meta.url), "utf8");
  const names = [...text.matchAll(NAMES)].map(([, name]) => name as string);
  expect(names.length).toBeGreaterThan(25);
  expect(names.filter((name) => !documented.includes(`\`${name}\``))).toEqual([]);
});

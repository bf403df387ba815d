import type { AgentConfig, ConfigState } from "@huishi/contracts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { EdgeError } from "../domain/faults.ts";
import { type Configurable, Configuration, type ConfigurationStore } from "./configuration.ts";

const log = { info: () => {}, warn: () => {}, error: () => {} };
const config = (revision: number, name = "Site"): AgentConfig => ({
  v: 1,
  revision,
  issuedAtMs: 0,
  site: { name },
  cameras: [],
  sensors: [],
});

/** A part that knows what it is, and cannot be what `cannot` names. */
function makePart(cannot = "") {
  const part = {
    name: "part",
    applied: [] as (string | null)[],
    get now() {
      return this.applied.at(-1) ?? null;
    },
    async apply(wanted: Parameters<Configurable["apply"]>[0]) {
      await Promise.resolve();
      const name = wanted?.site.name ?? null;
      part.applied.push(name);
      if (name !== null && name === cannot) throw new EdgeError("CONFIG_REFUSED", "/site/name cannot be");
    },
  };
  return part;
}

function make(
  parts: readonly ReturnType<typeof makePart>[],
  stored: Awaited<ReturnType<ConfigurationStore["load"]>> = null,
) {
  const states: ConfigState[] = [];
  const saved: AgentConfig[] = [];
  const configuration = new Configuration({
    log,
    store: { load: async () => stored, save: async (each) => void saved.push(each) },
    onState: (state) => states.push(state),
  });
  for (const part of parts) configuration.add(part);
  return { configuration, states, saved };
}

test("a part that cannot takes all of them back to what was, and the field is named", async () => {
  const [first, second] = [makePart(), makePart("Bad")];
  const { configuration, states, saved } = make([first, second]);
  configuration.offer(config(1, "Good"));
  await configuration.settle();
  configuration.offer(config(2, "Bad"));
  await configuration.settle();
  expect([first.now, second.now]).toEqual(["Good", "Good"]);
  expect(states.map(({ revision, state }) => [revision, state])).toEqual([
    [1, "applied"],
    [2, "refused"],
  ]);
  expect(states[1]?.message).toContain("/site/name");
  expect(saved.map(({ revision }) => revision)).toEqual([1]);
});

test("what contradicts itself reaches no part", async () => {
  const part = makePart();
  const { configuration, states } = make([part]);
  const camera = { id: "a", rtsp: { main: "rtsp://192.0.2.1/" } };
  configuration.offer({ ...config(1), cameras: [camera, camera] });
  await configuration.settle();
  expect(part.applied).toEqual([]);
  expect(states[0]).toMatchObject({ state: "refused", code: "CONFIG_REFUSED" });
});

test("the stored one holds from the start, and is not told as news that is older", async () => {
  const part = makePart();
  const { configuration } = make([part], config(7, "Stored"));
  await configuration.restore();
  configuration.offer(config(7, "Other"));
  configuration.offer(config(6, "Older"));
  await configuration.settle();
  expect(part.applied).toEqual(["Stored"]);
});

test("whatever comes in whatever order, all parts are alike in the end, and nothing goes back to an older revision", async () => {
  const offers = fc.array(
    fc.record({ revision: fc.integer({ min: 1, max: 9 }), isBad: fc.boolean(), settles: fc.boolean() }),
  );
  await fc.assert(
    fc.asyncProperty(offers, async (list) => {
      const [first, second] = [makePart(), makePart("Bad")];
      const { configuration, states, saved } = make([first, second]);
      for (const { revision, isBad, settles } of list) {
        configuration.offer(config(revision, isBad ? "Bad" : `Good ${revision}`));
        if (settles) await configuration.settle();
      }
      await configuration.settle();
      expect(first.now).toBe(second.now);
      const told = states.map(({ revision }) => revision);
      expect(told).toEqual([...new Set(told)].sort((a, b) => a - b));
      expect(configuration.current).toEqual(saved.at(-1) ?? null);
      expect(told.at(-1) ?? 0).toBe(Math.max(0, ...list.map(({ revision }) => revision)));
    }),
    { numRuns: 100 },
  );
});

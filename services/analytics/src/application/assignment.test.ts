import { InProcessMediaBus } from "@huishi/platform";
import { HuishiError, ManualClock } from "@huishi/kernel";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeInference } from "../test-support/fake-inference.ts";
import { AlarmWriter } from "./alarm-writer.ts";
import { Assignment } from "./assignment.ts";
import { FaultLog } from "./fault-log.ts";
import { PerceptionWriter } from "./perception-writer.ts";
import type { CameraPlan, ChangeFeed, Meter, PlanChange, PlanSelection, PlanStore } from "./ports.ts";
import { SoleTenure } from "./test-support/sole-tenure.ts";
import { plan, rule, track } from "./test-support/tracks.ts";
import { TrackIds } from "./track-ids.ts";

class FakeChanges implements ChangeFeed {
  tell: (changes: readonly PlanChange[]) => Promise<void> = () => Promise.resolve();

  async run(signal: AbortSignal, listener: Parameters<ChangeFeed["run"]>[1]): Promise<void> {
    this.tell = (changes) => listener.onChanges(changes);
    await listener.onReady();
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
  }
}

class FakePlans implements PlanStore {
  plans: CameraPlan[] = [];
  readonly asked: PlanSelection[] = [];

  readAll(): Promise<CameraPlan[]> {
    return Promise.resolve(this.plans);
  }

  read(selection: PlanSelection): Promise<CameraPlan[]> {
    this.asked.push(selection);
    const { cameraIds, ruleIds } = selection;
    return Promise.resolve(
      this.plans.filter(
        ({ cameraId, rules }) => cameraIds.includes(cameraId) || rules.some(({ id }) => ruleIds.includes(id)),
      ),
    );
  }
}

const meter: Meter = {
  frame: () => undefined,
  dropped: () => undefined,
  rows: () => undefined,
  alarm: () => undefined,
};
const lines: { code: string }[] = [];
const log = {
  info: () => undefined,
  warn: (fields: object) => void lines.push(fields as { code: string }),
  error: () => undefined,
};

let inference: FakeInference;
let bus: InProcessMediaBus;
let changes: FakeChanges;
let plans: FakePlans;
let tenure: SoleTenure;
let assignment: Assignment;
let parts: ConstructorParameters<typeof Assignment>[0];
let stop: AbortController;

beforeEach(() => {
  lines.length = 0;
  inference = new FakeInference();
  bus = new InProcessMediaBus({ lingerMs: 0 });
  changes = new FakeChanges();
  plans = new FakePlans();
  stop = new AbortController();
  const clock = new ManualClock(0);
  const faults = new FaultLog(log, clock);
  const never = (): Promise<never> => new Promise(() => undefined);
  tenure = new SoleTenure();
  parts = {
    tenure,
    store: plans,
    changes,
    faults,
    analysis: {
      pool: inference,
      mediaBus: bus,
      trackIds: new TrackIds({ takeBlock: () => Promise.resolve(1) }),
      perception: new PerceptionWriter(
        { writeDetections: never, writeTracks: never, writeCrossings: never, writeOccupancy: never },
        meter,
        faults,
      ),
      alarms: new AlarmWriter({ store: { commit: never, addSnapshot: never }, meter, faults, clock }),
      meter,
      faults,
      clock,
      sampleFps: 5,
    },
  };
  assignment = new Assignment(parts);
});
afterEach(async () => {
  stop.abort();
  await assignment.stop();
});

function follow(): void {
  void assignment.run(stop.signal);
  void tenure.run(stop.signal, assignment);
}

const ruleChanged: PlanChange = { kind: "rule", key: "rule-1", what: null };

describe("Assignment", () => {
  it("analyses a camera with an enabled rule, on its sub stream, and no other", async () => {
    plans.plans = [
      plan(),
      plan({ cameraId: "cam-2", rules: [] }),
      plan({ cameraId: "cam-3", rules: [rule({ enabled: false })] }),
    ];
    follow();
    await vi.waitFor(() => expect(bus.demands()).toEqual([{ cameraId: "cam-1", profile: "sub" }]));
    expect([...inference.feeds.keys()]).toEqual(["cam-1"]);
  });

  it("takes the main stream where there is no sub", async () => {
    plans.plans = [plan({ profiles: ["main"] })];
    follow();
    await vi.waitFor(() => expect(bus.demands()).toEqual([{ cameraId: "cam-1", profile: "main" }]));
  });

  it("stops when the last rule is switched off, and begins again with the next one", async () => {
    plans.plans = [plan()];
    follow();
    await vi.waitFor(() => expect(bus.demands()).toHaveLength(1));
    plans.plans = [plan({ rules: [rule({ enabled: false })] })];
    await changes.tell([ruleChanged]);
    await vi.waitFor(() => expect(bus.demands()).toHaveLength(0));
    plans.plans = [plan()];
    await changes.tell([ruleChanged]);
    await vi.waitFor(() => expect(bus.demands()).toHaveLength(1));
  });

  it("goes on with the same feed while rules are edited", async () => {
    plans.plans = [plan()];
    follow();
    await vi.waitFor(() => expect(inference.opened).toBe(1));
    plans.plans = [plan({ rules: [rule({ persistenceMs: 1 })] })];
    await changes.tell([ruleChanged]);
    expect(inference.opened).toBe(1);
  });

  it("stops when the rule, and when the camera itself, is deleted", async () => {
    plans.plans = [plan(), plan({ cameraId: "cam-2", rules: [rule({ id: "rule-2", cameraId: "cam-2" })] })];
    follow();
    await vi.waitFor(() => expect(bus.demands()).toHaveLength(2));
    plans.plans = [plan({ rules: [] })];
    await changes.tell([
      { kind: "deleted", key: "rule-1", what: "rule" },
      { kind: "deleted", key: "cam-2", what: "camera" },
    ]);
    await vi.waitFor(() => expect(bus.demands()).toHaveLength(0));
    expect(assignment.stats()).toEqual([]);
  });

  it("says once that the model is corrupt, and goes on when it was mended", async () => {
    inference.fault = new HuishiError("MODEL_CORRUPT", 'run "npm run build:model"');
    plans.plans = [plan(), plan({ cameraId: "cam-2" })];
    follow();
    await vi.waitFor(() => expect(lines).toMatchObject([{ code: "MODEL_CORRUPT" }]));
    expect(bus.demands()).toHaveLength(0);
    inference.fault = null;
    await vi.waitFor(() => expect(bus.demands()).toHaveLength(2), { timeout: 10_000 });
    expect(lines).toHaveLength(1);
  });

  it("opens a feed that failed again", async () => {
    plans.plans = [plan()];
    follow();
    await vi.waitFor(() => expect(inference.opened).toBe(1));
    inference.feeds.get("cam-1")?.onFault(new HuishiError("INFERENCE_PROCESS_DIED", "it died"));
    await vi.waitFor(() => expect(inference.opened).toBe(2), { timeout: 10_000 });
    expect(lines).toMatchObject([{ code: "INFERENCE_PROCESS_DIED", cameraId: "cam-1" }]);
  });

  it("survives a frame that it cannot interpret, and counts it", async () => {
    plans.plans = [plan()];
    follow();
    await vi.waitFor(() => expect(inference.opened).toBe(1));
    inference.see("cam-1", 1_000, { tracks: [track(1, { box: undefined as never })] });
    inference.see("cam-1", 1_200);
    expect(lines).toMatchObject([{ code: "ANALYSIS_FAILED", cameraId: "cam-1" }]);
    expect(assignment.stats()).toMatchObject([{ framesAnalysed: 1, samplesDropped: 1 }]);
  });

  it("analyses only what it holds, and begins and ends with the lease", async () => {
    tenure = new SoleTenure(() => false);
    plans.plans = [plan()];
    assignment = new Assignment({ ...parts, tenure });
    follow();
    await vi.waitFor(() => expect([...tenure.wanted.keys()]).toEqual(["cam-1"]));
    expect(inference.opened).toBe(0);
    assignment.take(["cam-1"]);
    await vi.waitFor(() => expect(bus.demands()).toHaveLength(1));
    await assignment.leave(["cam-1"]);
    expect(inference.feeds.size).toBe(0);
    expect(assignment.stats()).toEqual([]);
  });

  it("runs one analysis of a camera at a time, however often it comes and goes", async () => {
    tenure = new SoleTenure(() => false);
    plans.plans = [plan()];
    assignment = new Assignment({ ...parts, tenure });
    follow();
    await vi.waitFor(() => expect(tenure.wanted.size).toBe(1));
    for (let i = 0; i < 5; i++) {
      assignment.take(["cam-1"]);
      await vi.waitFor(() => expect(inference.feeds.size).toBe(1));
      const left = assignment.leave(["cam-1"]);
      assignment.take(["cam-1"]);
      assignment.take(["cam-1"]);
      await left;
    }
    await vi.waitFor(() => expect(assignment.stats()).toMatchObject([{ isRunning: true }]));
    expect(inference.feeds.size).toBe(1);
    expect(inference.mostAtOnce).toBe(1);
  });

  it("says how heavy a camera is: a main stream weighs more", async () => {
    plans.plans = [plan(), plan({ cameraId: "cam-2", profiles: ["main"] })];
    follow();
    await vi.waitFor(() => expect(Object.fromEntries(tenure.wanted)).toEqual({ "cam-1": 1, "cam-2": 3 }));
  });
});

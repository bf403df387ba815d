import { isDeepStrictEqual } from "node:util";
import { type AnalysisParts, analysedProfile, CameraAnalysis, type CameraStats } from "./camera-analysis.ts";
import type { Tenant, Tenure } from "./camera-leases.ts";
import type { FaultLog } from "./fault-log.ts";
import type { CameraPlan, ChangeFeed, PlanChange, PlanStore } from "./ports.ts";
import { samplingOf } from "./sampling.ts";

export interface AssignmentParts {
  readonly store: PlanStore;
  readonly changes: ChangeFeed;
  readonly faults: FaultLog;
  /** Which cameras this process may analyse; the others are other processes'. */
  readonly tenure: Tenure;
  readonly analysis: AnalysisParts;
}

const PLAN_FAULT = {
  code: "RULES_INVALID",
  message: "the zones or rules of a camera cannot be used: edit or delete them; the other cameras go on",
};

/** Expected load of a camera: a main stream is decoded at several times the pixels of a sub stream. */
const WEIGHTS = { sub: 1, main: 3 } as const;
/** Of a camera on keyframes: its other pictures need not be decoded (0.75 % of a core against 5.5 % at 720p). */
const KEYFRAMES_WEIGHT = 0.2;

/**
 * Which cameras are analysed here: those with at least one enabled rule (nothing leaves the field for nobody) that this
 * process holds a lease on. Follows what people edit while it runs.
 */
export class Assignment implements Tenant {
  readonly name = "camera assignment";
  readonly #parts: AssignmentParts;
  readonly #plans = new Map<string, CameraPlan>();
  readonly #analyses = new Map<string, CameraAnalysis>();
  /** Analyses on their way out; the next of the same camera waits. */
  readonly #ending = new Map<string, Promise<void>>();
  readonly #mine = new Set<string>();

  constructor(parts: AssignmentParts) {
    this.#parts = parts;
  }

  /** Follows the database until the signal aborts; analyses go on while the database is away. */
  async run(signal: AbortSignal): Promise<void> {
    await this.#parts.changes.run(signal, {
      onReady: async () => {
        for (const code of ["PLAN_UNKNOWN", "CHANGE_FEED_LOST"]) this.#parts.faults.recovered(code);
        const plans = await this.#parts.store.readAll();
        await this.#apply([...this.#plans.keys()], plans);
      },
      onChanges: (changes) => this.#follow(changes),
    });
  }

  take(cameraIds: readonly string[]): void {
    for (const cameraId of cameraIds) {
      this.#mine.add(cameraId);
      void this.#assign(cameraId);
    }
  }

  async leave(cameraIds: readonly string[]): Promise<void> {
    for (const cameraId of cameraIds) this.#mine.delete(cameraId);
    await Promise.all(cameraIds.map((cameraId) => this.#end(cameraId)));
  }

  async stop(): Promise<void> {
    this.#mine.clear();
    await Promise.all([...this.#analyses.keys(), ...this.#ending.keys()].map((id) => this.#end(id)));
  }

  stats(): CameraStats[] {
    return [...this.#analyses.values()].map((analysis) => analysis.stats());
  }

  async #follow(changes: readonly PlanChange[]): Promise<void> {
    const cameraIds = new Set<string>();
    const zoneIds = new Set<string>();
    const ruleIds = new Set<string>();
    for (const { kind, key, what } of changes) {
      if (kind === "camera" || what === "camera") cameraIds.add(key);
      else if (kind === "zone") zoneIds.add(key);
      else if (kind === "rule") ruleIds.add(key);
      const owner = what === null ? undefined : this.#ownerOf(key);
      if (owner !== undefined) cameraIds.add(owner);
    }
    const selection = { cameraIds: [...cameraIds], zoneIds: [...zoneIds], ruleIds: [...ruleIds] };
    await this.#apply(selection.cameraIds, await this.#parts.store.read(selection));
  }

  /** Camera of a zone or rule that is gone from the database. */
  #ownerOf(key: string): string | undefined {
    for (const plan of this.#plans.values()) {
      if (plan.rules.some(({ id }) => id === key) || plan.zones.some(({ id }) => id === key))
        return plan.cameraId;
    }
    return undefined;
  }

  /** Takes new plans; a camera that was `asked` for and has none is gone. */
  async #apply(asked: readonly string[], plans: readonly CameraPlan[]): Promise<void> {
    const found = new Set(plans.map((plan) => plan.cameraId));
    const gone = asked.filter((cameraId) => !found.has(cameraId));
    for (const cameraId of gone) this.#plans.delete(cameraId);
    for (const plan of plans) this.#plans.set(plan.cameraId, plan);
    const wanted = [...this.#plans.values()].filter(isWanted);
    this.#parts.tenure.want(new Map(wanted.map((plan) => [plan.cameraId, this.#weightOf(plan)] as const)));
    await Promise.all([
      ...gone.map((cameraId) => this.#end(cameraId)),
      ...plans.map((plan) => this.#assign(plan.cameraId)),
    ]);
  }

  #weightOf(plan: CameraPlan): number {
    const sampling = samplingOf(plan.rules, this.#parts.analysis.sampleFps);
    return WEIGHTS[analysedProfile(plan)] * (sampling.kind === "keyframes" ? KEYFRAMES_WEIGHT : 1);
  }

  /** Makes what is analysed of this camera what should be. Never rejects. */
  async #assign(cameraId: string): Promise<void> {
    await this.#ending.get(cameraId);
    const plan = this.#plans.get(cameraId);
    if (!plan || !isWanted(plan) || !this.#mine.has(cameraId)) {
      await this.#end(cameraId);
      return;
    }
    const present = this.#analyses.get(cameraId);
    try {
      const sampling = samplingOf(plan.rules, this.#parts.analysis.sampleFps);
      if (present?.profile === analysedProfile(plan) && isDeepStrictEqual(present.sampling, sampling)) {
        present.replace(plan);
      } else if (present) {
        await this.#end(cameraId);
        await this.#assign(cameraId);
      } else {
        this.#analyses.set(cameraId, new CameraAnalysis(plan, this.#parts.analysis));
      }
    } catch (error) {
      this.#parts.faults.report(error, PLAN_FAULT, { cameraId });
    }
  }

  /** Resolves when the camera's analysis, if there was one, has ended. */
  #end(cameraId: string): Promise<void> {
    const analysis = this.#analyses.get(cameraId);
    this.#analyses.delete(cameraId);
    if (!analysis) return this.#ending.get(cameraId) ?? Promise.resolve();
    const ending = analysis.stop().finally(() => this.#ending.delete(cameraId));
    this.#ending.set(cameraId, ending);
    return ending;
  }
}

function isWanted(plan: CameraPlan): boolean {
  return plan.rules.some((rule) => rule.enabled);
}

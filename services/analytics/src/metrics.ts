/** Metrics of the analysis, all in one place (names: docs/style: `huishi_<thing>_<unit>[_total]`). */
import { ANALYTICS_STAGES, type AnalyticsDrop, type StageTimes } from "@huishi/contracts";
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { Meter, StageMs } from "./application/ports.ts";
import { StageWindow } from "./application/stage-times.ts";

const STAGE_BUCKETS = [0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1];
const AGE_BUCKETS = [0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30];

const METRIC_NAMES = [
  "huishi_analytics_stage_seconds",
  "huishi_analytics_frame_age_seconds",
  "huishi_analytics_dropped_total",
  "huishi_analytics_rows_total",
  "huishi_analytics_write_seconds",
  "huishi_analytics_alarms_total",
  "huishi_analytics_alarm_age_seconds",
  "huishi_analytics_pending",
  "huishi_analytics_cameras_held",
] as const;

/** `Meter` on prom-client, with the totals that `stats()` shows. */
export class AnalyticsMetrics implements Meter {
  readonly #stage: Histogram<"stage">;
  readonly #frameAge: Histogram;
  readonly #dropped: Counter<"reason">;
  readonly #rows: Counter<"table">;
  readonly #write: Histogram<"table">;
  readonly #alarms: Counter<"kind">;
  readonly #alarmAge: Histogram;
  readonly #droppedByReason = new Map<string, number>();
  readonly #registry: Registry;
  /** A minute, told of every five seconds. */
  readonly #window = new StageWindow(12);
  #framesAnalysed = 0;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#registry = registry;
    this.#stage = new Histogram({
      name: "huishi_analytics_stage_seconds",
      help: "Time of one analysed frame in each stage",
      labelNames: ["stage"],
      buckets: STAGE_BUCKETS,
      registers,
    });
    this.#frameAge = new Histogram({
      name: "huishi_analytics_frame_age_seconds",
      help: "From a frame's capture to its result",
      buckets: AGE_BUCKETS,
      registers,
    });
    this.#dropped = new Counter({
      name: "huishi_analytics_dropped_total",
      help: "Samples, records, alarms and snapshots that were lost, by reason",
      labelNames: ["reason"],
      registers,
    });
    this.#rows = new Counter({
      name: "huishi_analytics_rows_total",
      help: "Rows of perception committed",
      labelNames: ["table"],
      registers,
    });
    this.#write = new Histogram({
      name: "huishi_analytics_write_seconds",
      help: "Time to commit one group of rows",
      labelNames: ["table"],
      buckets: STAGE_BUCKETS,
      registers,
    });
    this.#alarms = new Counter({
      name: "huishi_analytics_alarms_total",
      help: "Alarms opened, and occurrences counted on open ones",
      labelNames: ["kind"],
      registers,
    });
    this.#alarmAge = new Histogram({
      name: "huishi_analytics_alarm_age_seconds",
      help: "From the deciding frame's capture to the alarm's commit",
      buckets: AGE_BUCKETS,
      registers,
    });
  }

  /** Shows how much is not committed yet, read when the metrics are. */
  showPending(read: () => Readonly<Record<string, number>>): void {
    const gauge = new Gauge({
      name: "huishi_analytics_pending",
      help: "Records, alarms and snapshots not committed yet",
      labelNames: ["what"],
      registers: [this.#registry],
      collect: () => {
        for (const [what, count] of Object.entries(read())) gauge.set({ what }, count);
      },
    });
  }

  /** Shows how many cameras this process holds, read when the metrics are. */
  showHeld(read: () => number): void {
    const gauge: Gauge = new Gauge({
      name: "huishi_analytics_cameras_held",
      help: "Cameras that this process holds a lease on",
      registers: [this.#registry],
      collect: () => gauge.set(read()),
    });
  }

  /** Takes the metrics off the registry: the analysis has ended. */
  unregister(): void {
    for (const name of METRIC_NAMES) this.#registry.removeSingleMetric(name);
  }

  get framesAnalysed(): number {
    return this.#framesAnalysed;
  }

  droppedByReason(): Record<string, number> {
    return Object.fromEntries(this.#droppedByReason);
  }

  /** What was lost since the start, most first. */
  drops(): AnalyticsDrop[] {
    return [...this.#droppedByReason]
      .map(([reason, count]) => ({ reason, count }))
      .sort((a, b) => b.count - a.count);
  }

  /** Times of the stages over the last minute; begins the next interval. */
  takeStages(): StageTimes[] {
    const times = this.#window.read();
    this.#window.turn();
    return times;
  }

  frame(stageMs: StageMs, ageMs: number): void {
    this.#framesAnalysed += 1;
    for (const stage of ANALYTICS_STAGES) {
      const tookMs = stageMs[stage];
      if (tookMs === undefined) continue;
      this.#stage.observe({ stage }, tookMs / 1000);
      this.#window.add(stage, tookMs);
    }
    this.#frameAge.observe(ageMs / 1000);
  }

  dropped(reason: string, count: number): void {
    this.#droppedByReason.set(reason, (this.#droppedByReason.get(reason) ?? 0) + count);
    this.#dropped.inc({ reason }, count);
  }

  rows(table: Parameters<Meter["rows"]>[0], count: number, tookMs: number): void {
    this.#rows.inc({ table }, count);
    this.#write.observe({ table }, tookMs / 1000);
    this.#stage.observe({ stage: "write" }, tookMs / 1000);
    this.#window.add("write", tookMs);
  }

  alarm(kind: "opened" | "counted", ageMs: number): void {
    this.#alarms.inc({ kind });
    this.#alarmAge.observe(ageMs / 1000);
  }
}

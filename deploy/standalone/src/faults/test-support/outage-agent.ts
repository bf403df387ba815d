// A whole edge agent under a sped-up clock, with the sensors that speak to it. Started by fork; arguments: a file of settings.
import { createLogger } from "@huishi/platform";
import { readFile } from "node:fs/promises";
import { startEdgeAgent } from "../../../../../edge-agent/src/compose.ts";
import type { EdgeAgentConfig } from "../../../../../edge-agent/src/config.ts";
import { OutageClock } from "./outage-clock.ts";

const DAY_MS = 86_400_000;
const LIVE_EVERY_MS = 200;
const AT_ONCE = 4;

export interface OutageSettings {
  readonly config: EdgeAgentConfig;
  readonly speed: number;
  /** Sensors that each give a running number, and how often in the agent's time. */
  readonly levels: readonly string[];
  readonly everyMs: number;
  /** A cover that opens and closes, and how often. */
  readonly cover: string;
  readonly coverEveryMs: number;
  /** Gives a running number every 200 ms from the outage's end on. */
  readonly live: string;
}
export type ToOutageAgent = "outage" | "stop";
export type FromOutageAgent =
  | { readonly kind: "ready" }
  /** The clock is the true one, and all that was due in the outage was said. */
  | { readonly kind: "over"; readonly openings: number }
  | { readonly kind: "stopped"; readonly said: Readonly<Record<string, number>> };

const settings = JSON.parse(await readFile(process.argv[2] ?? "", "utf8")) as OutageSettings;
const { config, speed, levels, everyMs, cover, coverEveryMs, live } = settings;
const clock = new OutageClock({ spanMs: DAY_MS, speed });
const said: Record<string, number> = {};
const stop = new AbortController();
let openings = 0;

const port = await new Promise<number>((resolve, reject) => {
  startEdgeAgent({
    ...config,
    clock,
    logger: createLogger({ name: "outage", level: "silent" }),
    timings: { healthIntervalMs: 300, retry: { baseDelayMs: 100, maxDelayMs: 300 } },
    onSensorListening: (_kind, where) => resolve(where),
  }).then((agent) => {
    process.on("message", (message: ToOutageAgent) => {
      if (message === "outage") void outage();
      else stop.abort(new Error("the test is over"));
    });
    stop.signal.addEventListener("abort", () => {
      void speaking
        .then(() => agent.close())
        .then(() => tell({ kind: "stopped", said }))
        .then(() => process.disconnect());
    });
    tell({ kind: "ready" });
  }, reject);
});
let speaking: Promise<void> = Promise.resolve();

async function post(sensorId: string, value: number): Promise<void> {
  const body = JSON.stringify({ value });
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`http://127.0.0.1:${port}/sensors/${sensorId}`, {
    method: "POST",
    headers,
    body,
  });
  await answer.arrayBuffer();
  if (!answer.ok) throw new Error(`the sensor ${sensorId} was answered ${answer.status}`);
  said[sensorId] = (said[sensorId] ?? 0) + 1;
}

/** Says each second's worth of the agent's time what is due in it, sensor by sensor in order. */
async function outage(): Promise<void> {
  const startedMs = clock.nowMs();
  clock.beginOutage();
  const sayings = [
    ...levels.map((id) => ({ id, everyMs, value: (n: number) => n })),
    { id: cover, everyMs: coverEveryMs, value: (n: number) => (n % 2 === 0 ? 60 : 0) },
  ].map((saying, index) => ({ ...saying, dueMs: startedMs + index * 1_000 }));
  for (;;) {
    const isLast = clock.isTrue;
    const nowMs = clock.nowMs();
    const due = sayings.filter(({ dueMs }) => dueMs <= nowMs);
    for (let from = 0; from < due.length; from += AT_ONCE) {
      await Promise.all(
        due.slice(from, from + AT_ONCE).map(async (saying) => {
          const value = saying.value(said[saying.id] ?? 0);
          if (saying.id === cover && value > 0) openings += 1;
          saying.dueMs += saying.everyMs;
          await post(saying.id, value);
        }),
      );
    }
    if (due.length === 0) {
      if (isLast) break;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }
  tell({ kind: "over", openings });
  speaking = speakOn();
}

async function speakOn(): Promise<void> {
  while (!stop.signal.aborted) {
    await post(live, said[live] ?? 0);
    await new Promise((resolve) => setTimeout(resolve, LIVE_EVERY_MS));
  }
}

function tell(message: FromOutageAgent): void {
  process.send?.(message);
}
process.once("disconnect", () => setTimeout(() => process.exit(0), 100).unref());

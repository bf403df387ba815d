/**
 * An agent's backlog over the worst uplink (1 Mbit/s, a fifth of the segments lost, 200 ms there and back) beside live
 * events: alone, with a camera that somebody watches under the site's ceiling, and without one, into the real endpoint
 * with a real database. Each case runs once a seed: the seed says which segments are lost.
 * The bound is what the line carries when each segment is sent 1 / (1 - loss) times; figures are shares of it.
 *
 *   npm run bench:edge-uplink -- [BACKLOG] [LIVE EVENTS A SECOND] [SEEDS] [kernel]
 *
 * With `kernel` the line loses packets under the kernel's own TCP, each way (as root); otherwise a program stands for the
 * line, which models TCP's waits.
 */
import { createLogger, createPool } from "@huishi/platform";
import { type LineQuality, until, WORST_LINE } from "@huishi/testkit";
import { Uplink, type WatchedCamera } from "../deploy/standalone/src/faults/test-support/uplink.ts";
import { startKernelLine } from "./support/kernel-line.ts";
import { benchDatabase } from "./support/bench-database.ts";
import { median, quantile } from "./support/statistics.ts";

const BACKLOG = Number(process.argv[2] ?? 6_000);
const LIVE_PER_S = Number(process.argv[3] ?? 5);
const SEEDS = Number(process.argv[4] ?? 3);
const otherLine = process.argv[5] === "kernel" ? startKernelLine : undefined;
const FIRST_SEED = 20_261_124;
const DAY_MS = 24 * 3_600_000;
const logger = createLogger({ name: "bench", level: "warn" });

interface Run {
  readonly eventsPerS: number;
  /** Shares of the line's bound. */
  readonly allShare: number;
  readonly mediaShare: number;
  /** Milliseconds: events recorded to acknowledged, pictures captured to received. */
  readonly liveP95: number;
  readonly liveMax: number;
  readonly pictureP95: number;
  readonly pictureMax: number;
  readonly longestStall: number;
  readonly pictures: number;
  readonly dropped: number;
  readonly missing: number;
}

function boundBytesPerSecond({ bitsPerSecond = 0, lossRate = 0 }: LineQuality): number {
  return (bitsPerSecond / 8) * (1 - lossRate);
}

async function drain(uplink: Uplink, watched: WatchedCamera | null): Promise<Run> {
  const stop = new AbortController();
  try {
    await uplink.fillBacklog(BACKLOG, DAY_MS);
    uplink.connect();
    await uplink.waitUntilConnected();
    const bytesBefore = uplink.line.bytes.up;
    const startedMs = performance.now();
    const live = uplink.recordLive(LIVE_PER_S, stop.signal);
    const media = watched ? uplink.sendMedia(stop.signal, watched) : Promise.resolve({ dropped: 0 });
    await until("the backlog has gone", () => uplink.backlogOrder.length >= BACKLOG, 1_800_000);
    const seconds = (performance.now() - startedMs) / 1_000;
    const share = (bytes: number): number => bytes / seconds / boundBytesPerSecond(WORST_LINE);
    const shares = {
      allShare: share(uplink.line.bytes.up - bytesBefore),
      mediaShare: share(uplink.mediaBytes),
    };
    stop.abort(new Error("drained"));
    await live;
    const { dropped } = await media;
    await until("everything is acknowledged", () => uplink.isDrained, 120_000);
    const { rows, distinct } = await uplink.stored();
    return {
      eventsPerS: BACKLOG / seconds,
      ...shares,
      liveP95: quantile(uplink.liveLagsMs, 0.95),
      liveMax: Math.max(...uplink.liveLagsMs),
      pictureP95: quantile(uplink.mediaLagsMs, 0.95),
      pictureMax: Math.max(0, ...uplink.mediaLagsMs),
      longestStall: uplink.line.longestStallMs,
      pictures: uplink.mediaUnits,
      dropped,
      missing: uplink.recorded - Math.min(rows, distinct),
    };
  } finally {
    stop.abort(new Error("over"));
  }
}

async function measure(title: string, watched: WatchedCamera | null): Promise<void> {
  const runs: Run[] = [];
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
    const database = await benchDatabase(logger);
    const pool = createPool(database.databaseUrl, { max: 2 });
    const uplink = await Uplink.start(
      { databaseUrl: database.databaseUrl, pool },
      WORST_LINE,
      seed,
      otherLine,
    );
    try {
      runs.push(await drain(uplink, watched));
    } finally {
      await uplink.stop();
      await pool.end();
      await database.drop();
    }
    if (process.env["BENCH_DEBUG"]) process.stdout.write(`  ${JSON.stringify(runs.at(-1))}\n`);
  }
  describe(title, runs);
}

function describe(title: string, runs: readonly Run[]): void {
  const all = (name: keyof Run): number[] => runs.map((run) => run[name]);
  const mid = (name: keyof Run, digits = 0): string => median(all(name)).toFixed(digits);
  const worst = (name: keyof Run): string => Math.max(...all(name)).toFixed(0);
  process.stdout.write(
    `${title} (${runs.length} seeds, median and worst):\n` +
      `  ${mid("eventsPerS")} events/s, worst ${Math.min(...all("eventsPerS")).toFixed(0)}; of the line's bound: ` +
      `all ${mid("allShare", 2)}, media ${mid("mediaShare", 2)}; missing ${worst("missing")}\n` +
      `  live lag p95 ${mid("liveP95")} / ${worst("liveP95")} ms, max ${mid("liveMax")} / ${worst("liveMax")} ms; ` +
      `longest stall of the line ${mid("longestStall")} / ${worst("longestStall")} ms\n` +
      `  pictures through ${mid("pictures")}, dropped ${mid("dropped")}, ` +
      `late p95 ${mid("pictureP95")} / ${worst("pictureP95")} ms, max ${mid("pictureMax")} / ${worst("pictureMax")} ms\n`,
  );
}

process.stdout.write(
  `uplink of 1 Mbit/s, 20 % loss, 200 ms there and back${otherLine ? ", the kernel's TCP" : ""}; ` +
    `a backlog of ${BACKLOG} events\n`,
);
await measure("events alone", null);
await measure("a camera of 600 kbit/s under a ceiling of 400", {
  bitsPerSecond: 600_000,
  ceilingBitsPerSecond: 400_000,
});
await measure("a camera of 2 Mbit/s without a ceiling", {});

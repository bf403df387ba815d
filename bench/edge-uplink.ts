/**
 * An agent's backlog over the worst uplink (1 Mbit/s, a fifth of the segments lost, 200 ms there and back) beside live
 * events: alone, with a camera that somebody watches under the site's ceiling, and without one, into the real endpoint with a real database.
 * The bound is what the line carries when each segment is sent 1 / (1 - loss) times; figures are shares of it.
 *
 *   npm run bench:edge-uplink -- [BACKLOG] [LIVE EVENTS A SECOND]
 */
import { createLogger, createPool } from "@huishi/platform";
import { type LineQuality, until, WORST_LINE } from "@huishi/testkit";
import { Uplink, type WatchedCamera } from "../deploy/standalone/src/faults/test-support/uplink.ts";
import { benchDatabase } from "./support/bench-database.ts";
import { describeMs } from "./support/statistics.ts";

const BACKLOG = Number(process.argv[2] ?? 6_000);
const LIVE_PER_S = Number(process.argv[3] ?? 5);
const DAY_MS = 24 * 3_600_000;
const logger = createLogger({ name: "bench", level: "warn" });

function boundBytesPerSecond({ bitsPerSecond = 0, lossRate = 0 }: LineQuality): number {
  return (bitsPerSecond / 8) * (1 - lossRate);
}

async function measure(title: string, watched: WatchedCamera | null): Promise<void> {
  const database = await benchDatabase(logger);
  const pool = createPool(database.databaseUrl, { max: 2 });
  const uplink = await Uplink.start({ databaseUrl: database.databaseUrl, pool }, WORST_LINE);
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
    const bytes = uplink.line.bytes.up - bytesBefore;
    const mediaBytes = uplink.mediaBytes;
    stop.abort(new Error("drained"));
    await live;
    const { dropped } = await media;
    await until("everything is acknowledged", () => uplink.isDrained, 120_000);
    const { rows, distinct } = await uplink.stored();
    const share = (part: number): string => (part / seconds / boundBytesPerSecond(WORST_LINE)).toFixed(2);
    process.stdout.write(
      `${title}: ${BACKLOG} events in ${seconds.toFixed(0)} s, ` +
        `${(BACKLOG / seconds).toFixed(0)} events/s; of the line's bound: all ${share(bytes)}, ` +
        `media ${share(mediaBytes)}\n` +
        `  live lag, recorded to acknowledged: ${describeMs(uplink.liveLagsMs)}\n` +
        `  pictures through ${uplink.mediaUnits}, dropped ${dropped}; recorded ${uplink.recorded}, ` +
        `stored ${rows}, different ${distinct}\n`,
    );
  } finally {
    stop.abort(new Error("over"));
    await uplink.stop();
    await pool.end();
    await database.drop();
  }
}

process.stdout.write("uplink of 1 Mbit/s, 20 % loss, 200 ms there and back\n");
await measure("events alone", null);
await measure("a camera of 600 kbit/s under a ceiling of 400", {
  bitsPerSecond: 600_000,
  ceilingBitsPerSecond: 400_000,
});
await measure("a camera of 2 Mbit/s without a ceiling", {});

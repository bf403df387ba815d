/**
 * The media bus within a process and over NATS: CPU of the publisher and of one reader for each access unit, the delay
 * from publish to delivery, and what is dropped. `npm run bench:bus [-- --streams 200 --fps 5 --bytes 12000 --seconds 10]`
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { AccessUnit, MediaBus } from "@huishi/contracts";
import { sleep } from "@huishi/kernel";
import { createLogger, InProcessMediaBus, openMediaBus, type OpenMediaBus } from "@huishi/platform";
import { NatsServer } from "@huishi/testkit";

const { values } = parseArgs({
  options: {
    streams: { type: "string", default: "200" },
    fps: { type: "string", default: "5" },
    bytes: { type: "string", default: "12000" },
    seconds: { type: "string", default: "10" },
  },
});
const streams = Number(values.streams);
const fps = Number(values.fps);
const bytes = Number(values.bytes);
const seconds = Number(values.seconds);
const logger = createLogger({ name: "bench", level: "error" });
const TICK_MS = 20;
const KEYFRAME_EVERY = 10;

interface Reading {
  readonly units: number;
  readonly cpuMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const keyOf = (stream: number): { cameraId: string; profile: "sub" } => ({
  cameraId: `cam-${stream}`,
  profile: "sub",
});
const openNats = (port: number, service: string): Promise<OpenMediaBus> =>
  openMediaBus({ host: "127.0.0.1", port, isSecured: false }, { service, logger });

class Reader {
  #units = 0;
  readonly #delaysMs: number[] = [];
  readonly #startedCpu = process.cpuUsage();

  constructor(bus: MediaBus) {
    for (let stream = 0; stream < streams; stream++)
      bus.subscribe(keyOf(stream), ({ capturedAtMs }) => {
        this.#units += 1;
        this.#delaysMs.push(Date.now() - capturedAtMs);
      });
  }

  read(): Reading {
    const { user, system } = process.cpuUsage(this.#startedCpu);
    const sorted = this.#delaysMs.toSorted((a, b) => a - b);
    const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? 0;
    return { units: this.#units, cpuMs: (user + system) / 1000, p50Ms: at(0.5), p99Ms: at(0.99) };
  }
}

/** Publishes at the rate; returns the CPU it took, milliseconds, and the units. */
async function publish(bus: MediaBus): Promise<{ units: number; cpuMs: number }> {
  const data = new Uint8Array(bytes).fill(1);
  const startedCpu = process.cpuUsage();
  const startedMs = performance.now();
  const numbers = new Uint32Array(streams);
  let sent = 0;
  while (performance.now() - startedMs < seconds * 1_000) {
    const due = Math.floor(((performance.now() - startedMs) / 1_000) * fps * streams);
    for (; sent < due; sent++) {
      const stream = sent % streams;
      const unitNumber = numbers[stream] ?? 0;
      numbers[stream] = unitNumber + 1;
      const unit: AccessUnit = {
        codec: "h264",
        keyframe: unitNumber % KEYFRAME_EVERY === 0,
        discontinuity: false,
        unitNumber,
        capturedAtMs: Date.now(),
        ptsMs: 0,
        data,
      };
      bus.publish(keyOf(stream), unit);
    }
    await sleep(TICK_MS);
  }
  const { user, system } = process.cpuUsage(startedCpu);
  return { units: sent, cpuMs: (user + system) / 1000 };
}

function say(name: string, sent: { units: number; cpuMs: number }, read: Reading): void {
  const us = (cpuMs: number, units: number): string => ((cpuMs * 1_000) / units).toFixed(1);
  console.log(
    `${name}: ${sent.units} units of ${bytes} bytes sent, ${read.units} read; CPU a unit: publisher ${us(sent.cpuMs, sent.units)} µs, reader ${us(read.cpuMs, Math.max(1, read.units))} µs; delay p50 ${read.p50Ms} ms, p99 ${read.p99Ms} ms`,
  );
}

async function inProcess(): Promise<void> {
  const bus = new InProcessMediaBus();
  const reader = new Reader(bus);
  const sent = await publish(bus);
  say("in process (both in one)", sent, { ...reader.read(), cpuMs: 0 });
}

async function overNats(): Promise<void> {
  const server = await NatsServer.start();
  const child: ChildProcess = fork(fileURLToPath(import.meta.url), process.argv.slice(2), {
    execArgv: process.execArgv,
    env: { ...process.env, BENCH_NATS_PORT: String(server.port) },
  });
  const media = await openNats(server.port, "bench-publisher");
  while (media.bus.demands().length < streams) await sleep(50);
  const sent = await publish(media.bus);
  await sleep(500);
  child.send("report");
  const [read] = (await once(child, "message")) as [Reading];
  say("over NATS", sent, read);
  child.kill();
  await media.close();
  await server.remove();
}

const readerPort = process.env["BENCH_NATS_PORT"];
if (readerPort === undefined) {
  console.log(`${streams} streams at ${fps} units a second`);
  await inProcess();
  await overNats();
} else {
  const media = await openNats(Number(readerPort), "bench-reader");
  const reader = new Reader(media.bus);
  process.once("message", () => process.send?.(reader.read()));
}

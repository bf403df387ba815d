/**
 * What relaying costs an edge agent: cameras of 1280x720 at 25 pictures a second with a keyframe every two seconds, from
 * simulated cameras to a real MQTT endpoint, each in a process of its own. Prints processor time against bare
 * `ffmpeg -c copy -f null` of the same streams in the same run, memory, keyframes alone, and how soon a picture comes.
 *
 *   npm run bench:edge -- [CAMERAS] [SECONDS A WINDOW]
 */
import { type ChildProcess, execFileSync, fork, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { EDGE_AGENT_NODE_OPTIONS } from "@huishi/edge-agent";
import { sleep } from "@huishi/kernel";
import type { FromCentre, ToCentre } from "./support/edge-relay-roles.ts";
import { cpuSecondsOfTree, memoryOfTree } from "./support/process-tree.ts";
import { describeMs, median } from "./support/statistics.ts";

const CAMERAS = Number(process.argv[2] ?? 16);
const WINDOW_S = Number(process.argv[3] ?? 15);
const WINDOWS = 3;
const CLIP_S = 20;
const BITS_PER_SECOND = "2M";
const FIRST_PICTURES = 12;
/** Longer than the linger of demand and stream together. */
const COLD_MS = 9_000;

/** Street-like load: a moving test picture with noise, so that pictures have the size of a camera's. */
function makeClip(file: string): void {
  const picture = `testsrc2=size=1280x720:rate=25:duration=${CLIP_S},noise=alls=6:allf=t`;
  const encoder = ["-c:v", "libx264", "-preset", "veryfast", "-b:v", BITS_PER_SECOND, "-pix_fmt", "yuv420p"];
  execFileSync("ffmpeg", ["-v", "error", "-f", "lavfi", "-i", picture, ...encoder, file]);
}

const roles = new URL("./support/edge-relay-roles.ts", import.meta.url).pathname;
function start(args: readonly string[], nodeOptions: readonly string[] = []): ChildProcess {
  return fork(roles, [...args], {
    execArgv: ["--import", "tsx", "--conditions=huishi-source", ...nodeOptions],
  });
}

function message<K extends string>(child: ChildProcess, kind: K): Promise<Extract<FromCentre, { kind: K }>> {
  return new Promise((resolve) => {
    const listener = (said: FromCentre): void => {
      if (said.kind !== kind) return;
      child.off("message", listener);
      resolve(said as Extract<FromCentre, { kind: K }>);
    };
    child.on("message", listener);
  });
}

const cameraIds = Array.from({ length: CAMERAS }, (_, i) => `camera-${i}`);

class Bench {
  readonly #centre: ChildProcess;
  readonly #agent: ChildProcess;
  readonly #urls: readonly string[];

  #counts = { units: 0, bytes: 0 };

  constructor(centre: ChildProcess, agent: ChildProcess, urls: readonly string[]) {
    this.#centre = centre;
    // Messages that nobody listens for are kept, and would be stale.
    centre.on("message", (said: FromCentre) => {
      if (said.kind === "counts") this.#counts = said;
    });
    this.#agent = agent;
    this.#urls = urls;
  }

  demand(sampling: ToCentre["sampling"], ids: readonly string[] = cameraIds): void {
    for (const cameraId of ids) this.#centre.send({ kind: "demand", cameraId, sampling } satisfies ToCentre);
  }

  /** Share of one core that the agent uses, median of some windows; and the pictures that came. */
  async agentShare(): Promise<{ share: number; unitsPerS: number; mbit: number }> {
    const before = this.#counts;
    const startedMs = performance.now();
    const shares: number[] = [];
    for (let i = 0; i < WINDOWS; i++) shares.push(await cpuShare(this.#agent.pid as number));
    const after = this.#counts;
    const seconds = (performance.now() - startedMs) / 1000;
    return {
      share: median(shares),
      unitsPerS: (after.units - before.units) / seconds,
      mbit: ((after.bytes - before.bytes) * 8) / seconds / 1e6,
    };
  }

  memory(): { rssMb: number } {
    return memoryOfTree(this.#agent.pid as number);
  }

  /** The bound: one ffmpeg a stream that copies into nothing. */
  async bareShare(): Promise<number> {
    const children = this.#urls.map((url) =>
      spawn("ffmpeg", ["-v", "error", "-rtsp_transport", "tcp", "-i", url, "-c", "copy", "-f", "null", "-"], {
        stdio: "ignore",
      }),
    );
    await sleep(4_000);
    const shares: number[] = [];
    for (let i = 0; i < WINDOWS; i++) {
      const before = children.map((child) => cpuSecondsOfTree(child.pid as number));
      const startedMs = performance.now();
      await sleep(WINDOW_S * 1000);
      const seconds = (performance.now() - startedMs) / 1000;
      const used = children.reduce(
        (sum, child, k) => sum + cpuSecondsOfTree(child.pid as number) - (before[k] as number),
        0,
      );
      shares.push(used / seconds);
    }
    for (const child of children) child.kill("SIGKILL");
    return median(shares);
  }

  async firstPicture(cameraId: string): Promise<number> {
    const first = message(this.#centre, "first");
    const askedMs = Date.now();
    this.demand({ kind: "all" }, [cameraId]);
    const { atMs } = await Promise.race([first, sleep(20_000).then(() => ({ atMs: Number.NaN }))]);
    return atMs - askedMs;
  }
}

async function cpuShare(pid: number): Promise<number> {
  const before = cpuSecondsOfTree(pid);
  const startedMs = performance.now();
  await sleep(WINDOW_S * 1000);
  return (cpuSecondsOfTree(pid) - before) / ((performance.now() - startedMs) / 1000);
}

const percent = (share: number): string => `${(share * 100).toFixed(2)} %`;

async function measure(bench: Bench): Promise<void> {
  bench.demand({ kind: "all" });
  await sleep(6_000);
  const all = await bench.agentShare();
  const memory = bench.memory().rssMb;
  console.log(
    `relay of ${CAMERAS} cameras: ${percent(all.share)} of a core (${percent(all.share / CAMERAS)} a camera), ` +
      `${all.unitsPerS.toFixed(0)} pictures/s, ${all.mbit.toFixed(1)} Mbit/s, resident ${memory.toFixed(0)} MB`,
  );
  bench.demand(null);
  await sleep(COLD_MS);
  const bare = await bench.bareShare();
  console.log(`bare ffmpeg -c copy -f null of the same streams: ${percent(bare)} of a core`);
  console.log(
    `ratio ${(all.share / bare).toFixed(2)} (bound 1.3), memory ${memory.toFixed(0)} MB (bound 350)`,
  );

  bench.demand({ kind: "keyframes" });
  await sleep(6_000);
  const keyframes = await bench.agentShare();
  console.log(
    `keyframes alone: ${percent(keyframes.share / CAMERAS)} of a core a camera (bound 1.2), ` +
      `${keyframes.unitsPerS.toFixed(1)} pictures/s`,
  );

  // Somebody analyses keyframes already: the stream runs, and the wall joins.
  const joins: number[] = [];
  for (let i = 0; i < FIRST_PICTURES; i++) joins.push(await bench.firstPicture(`camera-${i % CAMERAS}`));
  console.log(`first picture of a stream that runs: ${describeMs(joins)} (bound p95 300)`);
  bench.demand(null);
  await sleep(COLD_MS);
  const cold: number[] = [];
  for (let i = 0; i < FIRST_PICTURES; i++) cold.push(await bench.firstPicture(`camera-${i % CAMERAS}`));
  console.log(`first picture cold: ${describeMs(cold)} (bound p95 1000 and one group of 2000)`);
}

const folder = await mkdtemp(path.join(tmpdir(), "huishi-bench-"));
const clip = path.join(folder, "clip.mp4");
makeClip(clip);
const simulatorEntry = new URL("../packages/camera-simulator/src/main.ts", import.meta.url).pathname;
const videos = cameraIds.flatMap(() => ["--video", clip]);
const simulator = spawn(
  process.execPath,
  [
    "--import",
    "tsx",
    "--conditions=huishi-source",
    simulatorEntry,
    ...videos,
    "--cache",
    path.join(folder, "cache"),
  ],
  { stdio: ["ignore", "pipe", "inherit"] },
);
const children: ChildProcess[] = [simulator];
try {
  const urls = await new Promise<string[]>((resolve) => {
    const found: string[] = [];
    let text = "";
    simulator.stdout.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      const lines = text.split("\n");
      text = lines.pop() ?? "";
      for (const line of lines) found.push(line.split(" ")[2] as string);
      if (found.length >= CAMERAS) resolve(found);
    });
  });
  const centre = start(["centre"]);
  children.push(centre);
  const { serverUrl } = await message(centre, "ready");
  const agent = start(["agent", serverUrl, ...urls], EDGE_AGENT_NODE_OPTIONS);
  children.push(agent);
  await message(agent, "ready");
  await sleep(3_000);
  await measure(new Bench(centre, agent, urls));
} finally {
  for (const child of children) child.kill("SIGKILL");
  await rm(folder, { recursive: true, force: true });
}

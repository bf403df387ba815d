/** What nothing can do without: bare decoding and bare inference, in processor time. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { promisify } from "node:util";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { loadModel, sessionOptions } from "../../services/analytics/src/adapters/onnxruntime/index.ts";
import type { Clip } from "./footage.ts";

/** Milliseconds of processor time since a mark. */
export function cpuMsSince(mark: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(mark);
  return (user + system) / 1000;
}

/** The default model in a bare session: one call is one inference. */
export async function bareInference(): Promise<{ run: () => Promise<void>; close: () => Promise<void> }> {
  const model = await loadModel();
  const session = await InferenceSession.create(model.bytes, sessionOptions);
  const { name, size } = model.record.input;
  const pixels = new Tensor("uint8", new Uint8Array(size * size * 3).fill(127), [1, size, size, 3]);
  return {
    run: async () => void (await session.run({ [name]: pixels })),
    close: () => session.release(),
  };
}

/** Mean processor time of one bare inference. */
export async function bareInferenceMs(runs = 150): Promise<number> {
  const { run, close } = await bareInference();
  for (let i = 0; i < 20; i++) await run();
  const mark = process.cpuUsage();
  for (let i = 0; i < runs; i++) await run();
  const ms = cpuMsSince(mark) / runs;
  await close();
  return ms;
}

/** The same as cameras ask for it: paced, in so many processes side by side (paced-inference.ts). */
export async function pacedInferenceMs(processes: number, framesPerSecond: number): Promise<number> {
  const script = path.join(import.meta.dirname, "paced-inference.ts");
  const everyMs = (processes * 1000) / framesPerSecond;
  const told = await Promise.all(
    Array.from({ length: processes }, async () => {
      const { stdout } = await promisify(execFile)(process.execPath, [
        "--import",
        "tsx",
        script,
        String(everyMs),
      ]);
      return Number(stdout);
    }),
  );
  return told.reduce((all, one) => all + one, 0) / processes;
}

/** Processor time of ffmpeg for decoding one picture of the clip and doing nothing with it; without ffmpeg's start. */
export async function bareDecodeMs(clip: Clip): Promise<number> {
  const loops = Math.max(1, Math.ceil(2000 / clip.units.length));
  const once = await decodeSeconds(clip.file, 0);
  const more = await decodeSeconds(clip.file, loops);
  return ((more - once) * 1000) / (loops * clip.units.length);
}

async function decodeSeconds(file: string, loops: number): Promise<number> {
  const child = spawn(
    "ffmpeg",
    [
      "-hide_banner",
      "-nostdin",
      "-benchmark",
      "-stream_loop",
      String(loops),
      "-threads",
      "1",
      "-i",
      file,
    ].concat(["-fps_mode", "passthrough", "-f", "null", "-"]),
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  let text = "";
  child.stderr.setEncoding("utf8").on("data", (more: string) => (text = (text + more).slice(-4000)));
  await once(child, "close");
  const times = /utime=([\d.]+)s stime=([\d.]+)s/.exec(text);
  if (!times) throw new Error(`ffmpeg did not tell its time: ${text}`);
  return Number(times[1]) + Number(times[2]);
}

// Which simulated cameras the launcher plays, and under which identity.
import { HuishiError, slugify } from "@huishi/kernel";
import { createHash } from "node:crypto";
import { access, constants, stat } from "node:fs/promises";
import { basename, extname } from "node:path";
import { findDemoFootage } from "./demo-footage.ts";
import type { StandaloneOptions } from "./options.ts";

interface SimulatedCamera {
  readonly name: string;
  /** Stable for a file, so that a second start meets the same camera again. */
  readonly serial: string;
  /** null: the generated scene. */
  readonly videoFile: string | null;
  /** What viewers must know about the picture. */
  readonly note: string | null;
  readonly isDemo: boolean;
}

export interface Footage {
  readonly cameras: readonly SimulatedCamera[];
  /** Lines for the terminal: files that cannot be played, why the demo is a generated scene. */
  readonly remarks: readonly string[];
}

/** Decides what is played: the videos asked for, the demo when nothing was asked for, nothing beside real cameras. */
export async function chooseFootage(
  options: StandaloneOptions,
  demoFolder: string,
  announce: (line: string) => void,
): Promise<Footage> {
  if (options.videos.length > 0) return chooseVideos(options.videos);
  if (options.cameras.length > 0) return { cameras: [], remarks: [] };
  return options.generatedScene ? generated("it was asked for") : chooseDemo(demoFolder, announce);
}

async function chooseVideos(files: readonly string[]): Promise<Footage> {
  const cameras: SimulatedCamera[] = [];
  const remarks: string[] = [];
  const timesUsed = new Map<string, number>();
  for (const file of files) {
    const fault = await faultOf(file);
    if (fault) {
      remarks.push(fault);
      continue;
    }
    const copy = timesUsed.get(file) ?? 0;
    timesUsed.set(file, copy + 1);
    const name = basename(file, extname(file)) + (copy === 0 ? "" : ` (${copy + 1})`);
    cameras.push({
      name,
      serial: serialOf(file, copy),
      videoFile: file,
      note: `plays ${basename(file)}`,
      isDemo: false,
    });
  }
  if (cameras.length === 0) {
    throw new HuishiError("VIDEO_UNREADABLE", `None of the videos can be played. ${remarks.join(" ")}`);
  }
  return { cameras, remarks };
}

/** Existence and rights; whether it is a video at all is for ffmpeg to say, when the simulator prepares it. */
async function faultOf(file: string): Promise<string | null> {
  try {
    await access(file, constants.R_OK);
    return (await stat(file)).isFile() ? null : `VIDEO_UNREADABLE: ${file} is not a file.`;
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    return `VIDEO_UNREADABLE: ${file} ${missing ? "does not exist; check the path" : "cannot be read; check its rights"}.`;
  }
}

function serialOf(file: string, copy: number): string {
  const digest = createHash("sha256").update(`${file}#${copy}`).digest("hex").slice(0, 8);
  const stem = slugify(basename(file, extname(file))).slice(0, 32);
  return stem === "" ? `video-${digest}` : `${stem}-${digest}`;
}

async function chooseDemo(folder: string, announce: (line: string) => void): Promise<Footage> {
  const found = await findDemoFootage(folder, announce);
  if (found.kind === "file") {
    const camera = {
      name: "Demo crossing · 演示路口",
      serial: "demo-vtest",
      videoFile: found.file,
      note: "demo footage",
      isDemo: true,
    };
    return { cameras: [camera], remarks: [] };
  }
  return generated(found.reason);
}

function generated(reason: string): Footage {
  return {
    cameras: [
      {
        name: "Demo scene · 演示场景",
        serial: "demo-generated",
        videoFile: null,
        note: "generated scene, no real footage",
        isDemo: true,
      },
    ],
    remarks: [
      `The demo plays a generated scene in which nothing is detected: ${reason}. Play your own footage with --video FILE.`,
    ],
  };
}

/** Runs the real ffmpeg and ffprobe in tests. */
import { spawn } from "node:child_process";

/** Runs a program with an argv array, feeds `stdin`, and gives its stdout. Rejects with stderr on a non-zero exit. */
export function runProgram(program: string, args: readonly string[], stdin?: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
    const out: Buffer[] = [];
    let errors = "";
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
    child.stdin.on("error", () => undefined);
    child.on("error", reject);
    child.on("close", (code) =>
      code === 0 ? resolve(Buffer.concat(out)) : reject(new Error(`${program}: ${errors.slice(-800)}`)),
    );
    child.stdin.end(stdin);
  });
}

/** A short H.264 clip of moving test bars; `format` is ffmpeg's name of the container (`flv`, `h264`). */
export function encodeTestClip(
  format: string,
  frames: number,
  encoder: readonly string[] = ["-bf", "0"],
): Promise<Buffer> {
  const common = "-hide_banner -loglevel error -f lavfi -i testsrc=size=320x180:rate=25";
  const codec = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 10";
  const muxer = format === "flv" ? ["-flvflags", "no_duration_filesize"] : [];
  return runProgram("ffmpeg", [
    ...`${common} -frames:v ${frames} ${codec}`.split(" "),
    ...encoder,
    ...muxer,
    "-f",
    format,
    "pipe:1",
  ]);
}

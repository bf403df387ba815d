// CPU of watching 16 cameras: decoder child and judges, a keyframe of 640x360 every 5 s a camera.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { FfmpegPictureDecoder } from "../edge-agent/src/adapters/picture-decoder/picture-decoder.ts";
import { PictureJudge } from "@huishi/media";

const CAMERAS = 16;
const ROUNDS = 20;
const SAMPLE_MS = 5_000;
const keyframe = execFileSync(
  "ffmpeg",
  "-hide_banner -loglevel error -f lavfi -i testsrc2=size=640x360 -vf noise=alls=8:allf=t -frames:v 1 -c:v libx264 -pix_fmt yuv420p -f h264 pipe:1".split(
    " ",
  ),
);
/** User and system time of a process, in milliseconds (proc(5), clock ticks of 10 ms). */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

const decoder = new FfmpegPictureDecoder();
const judges = Array.from({ length: CAMERAS }, () => new PictureJudge());
await decoder.decode({ cameraId: "warm", codec: "h264", annexB: keyframe });
const pid = decoder.pids[0] as number;
const childBefore = cpuMs(pid);
const ownBefore = process.cpuUsage();
for (let round = 0; round < ROUNDS; round++) {
  const sampled = judges.map(async (judge, i) => {
    const picture = await decoder.decode({ cameraId: `cam-${i}`, codec: "h264", annexB: keyframe });
    if (picture) judge.sample(picture, round * SAMPLE_MS);
  });
  await Promise.all(sampled);
}
const own = process.cpuUsage(ownBefore);
const samples = CAMERAS * ROUNDS;
const childMs = (cpuMs(pid) - childBefore) / samples;
const ownMs = (own.user + own.system) / 1_000 / samples;
const share = ((childMs + ownMs) / SAMPLE_MS) * 100;
console.log(
  JSON.stringify({
    cameras: CAMERAS,
    samples,
    decoderMsASample: childMs,
    agentMsASample: ownMs,
    percentOfACoreACamera: share,
    ...decoder.counts,
  }),
);
decoder.close();

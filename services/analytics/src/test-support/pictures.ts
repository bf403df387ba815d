import { spawn } from "node:child_process";
import sharp from "sharp";
import type { RgbFrame } from "../application/detector.ts";
import { findFootage } from "./footage.ts";

/** A bus and a car, drawn: what a detector finds in it can be checked where there is no footage. */
const STREET = `<svg xmlns="http://www.w3.org/2000/svg" width="640" height="480">
<rect width="640" height="480" fill="#c3daec"/><rect y="100" width="200" height="190" fill="#b79f86"/>
<rect x="420" y="60" width="220" height="220" fill="#a7a39b"/><rect y="270" width="640" height="210" fill="#7b7b79"/>
<g transform="translate(60,180)"><rect width="330" height="150" rx="14" fill="#d8412f"/>
<rect x="12" y="18" width="306" height="52" rx="5" fill="#27343f"/>
${[18, 78, 138, 198].map((x) => `<rect x="${x}" y="22" width="52" height="44" fill="#9fc3d6"/>`).join("")}
<rect x="250" y="20" width="46" height="120" fill="#55788c" stroke="#222" stroke-width="3"/>
<rect y="95" width="330" height="12" fill="#f4e6c0"/><rect x="318" y="105" width="12" height="14" fill="#ffe9a0"/>
${[70, 215].map((x) => `<circle cx="${x}" cy="150" r="27" fill="#1b1b1b"/><circle cx="${x}" cy="150" r="12" fill="#999"/>`).join("")}</g>
<g transform="translate(330,330)">
<path d="M0,60 q4,-22 40,-26 l38,-30 q50,-10 100,0 l36,30 q40,2 46,28 l-2,22 h-258 z" fill="#2f62b5"/>
<path d="M52,32 l30,-24 q20,-4 40,-4 v28 z" fill="#bcd3e2"/><path d="M130,4 q30,0 44,6 l26,22 h-70 z" fill="#bcd3e2"/>
${[55, 205].map((x) => `<circle cx="${x}" cy="84" r="24" fill="#181818"/><circle cx="${x}" cy="84" r="11" fill="#b5b5b5"/>`).join("")}
<rect x="2" y="54" width="14" height="9" fill="#fff4b8"/><rect x="242" y="52" width="14" height="9" fill="#c52a1c"/>
<path d="M126,36 v44" stroke="#1c3c70" stroke-width="2"/></g></svg>`;

export async function drawnStreet(): Promise<RgbFrame> {
  const { data, info } = await sharp(Buffer.from(STREET))
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}

/** One frame of a real clip, 640 pixels wide; null (with a line that says so) where the clip is not here. */
export async function footageFrame(name: string, atSeconds: number): Promise<RgbFrame | null> {
  const file = findFootage(name);
  if (!file) return null;
  const size = name.endsWith(".avi") ? { width: 640, height: 480 } : { width: 640, height: 360 };
  const argv = ["-v", "error", "-ss", String(atSeconds), "-i", file, "-frames:v", "1"];
  const scale = [
    "-vf",
    `scale=${size.width}:${size.height}`,
    "-f",
    "rawvideo",
    "-pix_fmt",
    "rgb24",
    "pipe:1",
  ];
  const child = spawn("ffmpeg", [...argv, ...scale], { stdio: ["ignore", "pipe", "inherit"] });
  const chunks: Buffer[] = [];
  for await (const chunk of child.stdout) chunks.push(chunk as Buffer);
  return { data: Buffer.concat(chunks), ...size };
}

/** A picture of one grey. */
export function plain(width: number, height: number, value: number): RgbFrame {
  return { data: new Uint8Array(width * height * 3).fill(value), width, height };
}

/** The same picture in three planes (ITU-R BT.601, limited range), colours at half the size. */
export function asI420({ data, width, height }: RgbFrame): RgbFrame {
  const pixels = width * height;
  const out = new Uint8Array((pixels * 3) / 2);
  const rgb = (x: number, y: number): [number, number, number] => {
    const at = (y * width + x) * 3;
    return [data[at] as number, data[at + 1] as number, data[at + 2] as number];
  };
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [r, g, b] = rgb(x, y);
      out[y * width + x] = 16 + (65.481 * r + 128.553 * g + 24.966 * b) / 255;
      if (x % 2 === 1 || y % 2 === 1) continue;
      const chroma = pixels + (y / 2) * (width / 2) + x / 2;
      out[chroma] = 128 + (-37.797 * r - 74.203 * g + 112 * b) / 255;
      out[chroma + pixels / 4] = 128 + (112 * r - 93.786 * g - 18.214 * b) / 255;
    }
  }
  return { data: out, layout: "i420", width, height };
}

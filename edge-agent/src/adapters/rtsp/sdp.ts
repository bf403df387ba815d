import { isSps, spsSize } from "@huishi/media";
import type { OfferedStream } from "../../domain/camera-description.ts";

/** The first video of a session description (RFC 8866), as far as a receiver needs it. */
export interface VideoMedia {
  readonly codec: "h264" | "h265" | "unknown";
  readonly payloadType: number;
  readonly clockRate: number;
  /** `a=control` of the media; empty when there is none. */
  readonly control: string;
  /** Without start codes: SPS, PPS (H.264), VPS, SPS, PPS (H.265). */
  readonly parameterSets: readonly Uint8Array[];
  readonly fps?: number;
}

const MAX_SDP_BYTES = 64 * 1024;
const MAX_PARAMETER_SETS = 16;

export function readVideoMedia(sdp: string): VideoMedia | null {
  const lines = sdp.slice(0, MAX_SDP_BYTES).split(/\r?\n/);
  const start = lines.findIndex((line) => /^m=video\b/.test(line));
  if (start < 0) return null;
  const nextMedia = lines.findIndex((line, i) => i > start && line.startsWith("m="));
  const media = lines.slice(start, nextMedia < 0 ? undefined : nextMedia).join("\n");
  const offered = (/^m=video \S+ \S+ ([\d ]+)/.exec(media)?.[1] ?? "").trim().split(/ +/).map(Number);
  const maps = [...media.matchAll(/^a=rtpmap:(\d+) ([^/\s]+)\/(\d+)/gm)];
  const map = maps.find((m) => codecOf(m[2]) !== "unknown") ?? maps[0];
  const fps = Number(/^a=framerate:([\d.]+)/m.exec(media)?.[1]);
  const clockRate = Number(map?.[3] ?? 90_000);
  return {
    codec: codecOf(map?.[2]),
    payloadType: Number(map?.[1] ?? offered[0] ?? 96),
    clockRate: clockRate > 0 ? clockRate : 90_000,
    control: /^a=control:(\S+)/m.exec(media)?.[1] ?? "",
    parameterSets: parameterSets(media),
    ...(fps > 0 ? { fps } : {}),
  };
}

/** What an SDP says of its first video: codec, and the picture size where H.264 parameters are in it. */
export function readVideo(sdp: string, url: string): OfferedStream | null {
  const media = readVideoMedia(sdp);
  if (!media) return null;
  const { codec, fps } = media;
  return { url, codec, ...pictureSize(media), ...(fps === undefined ? {} : { fps }) };
}

/**
 * The address of the media's SETUP (RFC 2326 §C.1.1), or null when it would lead to another host.
 *
 * @param base Content-Base of the answer, else the address that was asked
 */
export function controlUrl(control: string, base: string, asked: string): string | null {
  const whole = control === "" || control === "*" ? base : joined(control, base);
  if (!URL.canParse(whole) || !URL.canParse(asked)) return null;
  const url = new URL(whole);
  const own = new URL(asked);
  // Behind NAT, and on boxes with several addresses, cameras name another host than they were reached by: only path and
  // query are taken, as they stand, and the host stays the one that was checked.
  if (url.protocol !== "rtsp:" && url.protocol !== "rtsps:") return null;
  return `${own.protocol}//${own.host}${whole.replace(/^[a-z]+:\/\/[^/]*/i, "")}`;
}

function joined(control: string, base: string): string {
  if (/^rtsps?:\/\//i.test(control)) return control;
  return base.endsWith("/") || control.startsWith("/") || control.startsWith("?")
    ? base + control
    : `${base}/${control}`;
}

function codecOf(encoding: string | undefined): VideoMedia["codec"] {
  const name = encoding?.toUpperCase();
  return name === "H264" ? "h264" : name === "H265" || name === "HEVC" ? "h265" : "unknown";
}

/** RFC 6184 §8.1: sprop-parameter-sets; RFC 7798 §7.1: sprop-vps, sprop-sps, sprop-pps. */
function parameterSets(media: string): Uint8Array[] {
  const names = ["sprop-parameter-sets", "sprop-vps", "sprop-sps", "sprop-pps"];
  return names
    .flatMap((name) => new RegExp(`${name}=([A-Za-z0-9+/=,]+)`).exec(media)?.[1]?.split(",") ?? [])
    .slice(0, MAX_PARAMETER_SETS)
    .map((text) => new Uint8Array(Buffer.from(text, "base64")))
    .filter((nal) => nal.length > 2);
}

function pictureSize({ codec, parameterSets: sets }: VideoMedia): { width: number; height: number } {
  const sps = codec === "unknown" ? undefined : sets.find((nal) => isSps(codec, nal));
  if (codec === "unknown" || !sps) return { width: 0, height: 0 };
  try {
    return spsSize(codec, sps);
  } catch {
    return { width: 0, height: 0 };
  }
}

/** Session description of one video stream (RFC 4566, RFC 6184 §8.2.1). Pure. */
import type { StreamDescription } from "../source/video-stream.ts";
import { CLOCK_RATE, PAYLOAD_TYPE } from "./rtp-packetizer.ts";

export const TRACK = "trackID=0";

export function buildSdp(stream: StreamDescription, address: string, sessionName: string): string {
  const { sps, pps } = stream.parameterSets;
  const profile = Buffer.from(sps.subarray(1, 4)).toString("hex").toUpperCase();
  const sets = [sps, pps].map((nal) => Buffer.from(nal).toString("base64")).join(",");
  const family = address.includes(":") ? "IP6" : "IP4";
  return [
    "v=0",
    `o=- 0 0 IN ${family} ${address}`,
    `s=${sessionName.replace(/[\r\n]/g, " ") || "-"}`,
    `c=IN ${family} ${family === "IP6" ? "::" : "0.0.0.0"}`,
    "t=0 0",
    "a=control:*",
    "a=range:npt=now-",
    `m=video 0 RTP/AVP ${PAYLOAD_TYPE}`,
    `a=rtpmap:${PAYLOAD_TYPE} H264/${CLOCK_RATE}`,
    `a=fmtp:${PAYLOAD_TYPE} packetization-mode=1;profile-level-id=${profile};sprop-parameter-sets=${sets}`,
    `a=framerate:${stream.fps}`,
    `a=framesize:${PAYLOAD_TYPE} ${stream.width}-${stream.height}`,
    `a=control:${TRACK}`,
    "",
  ].join("\r\n");
}

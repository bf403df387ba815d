/** Session description of one video stream (RFC 4566, RFC 6184 §8.2.1, RFC 7798 §7.2). Pure. */
import type { StreamDescription } from "../source/video-stream.ts";
import { CLOCK_RATE, PAYLOAD_TYPE } from "./rtp-packetizer.ts";

export const TRACK = "trackID=0";

const base64 = (nal: Uint8Array): string => Buffer.from(nal).toString("base64");

function formatOf(stream: StreamDescription): { readonly name: string; readonly parameters: string } {
  if (stream.codec === "h265") {
    const { vps, sps, pps } = stream.parameterSets;
    const sets = `sprop-vps=${base64(vps)};sprop-sps=${base64(sps)};sprop-pps=${base64(pps)}`;
    return { name: "H265", parameters: sets };
  }
  const { sps, pps } = stream.parameterSets;
  const profile = Buffer.from(sps.subarray(1, 4)).toString("hex").toUpperCase();
  const sets = [sps, pps].map(base64).join(",");
  return {
    name: "H264",
    parameters: `packetization-mode=1;profile-level-id=${profile};sprop-parameter-sets=${sets}`,
  };
}

/** @param control `a=control` of the track when it is not the usual one (a fault) */
export function buildSdp(
  stream: StreamDescription,
  address: string,
  sessionName: string,
  control: string = TRACK,
): string {
  const { name, parameters } = formatOf(stream);
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
    `a=rtpmap:${PAYLOAD_TYPE} ${name}/${CLOCK_RATE}`,
    `a=fmtp:${PAYLOAD_TYPE} ${parameters}`,
    `a=framerate:${stream.fps}`,
    `a=framesize:${PAYLOAD_TYPE} ${stream.width}-${stream.height}`,
    `a=control:${control}`,
    "",
  ].join("\r\n");
}

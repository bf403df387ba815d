import { parseRtspAddress } from "../../domain/rtsp-address.ts";
import type { Account } from "../rtsp/digest.ts";

/** Socket operations of ffmpeg's RTSP client end after this, in microseconds. */
const SOCKET_TIMEOUT_US = 5_000_000;

/**
 * The input of ffmpeg as a concat script (ffmpeg-formats, "concat"), which it reads from a pipe: the address
 * holds the password, and process arguments are public. TCP first, UDP where the camera refuses TCP; the frame
 * rate is not probed for (`fpsprobesize`), which saves half a second.
 */
export function ffconcatScript(url: string, account: Account | null): string {
  const address = new URL(parseRtspAddress(url).url);
  if (account) {
    address.username = encodeURIComponent(account.username);
    address.password = encodeURIComponent(account.password);
  }
  return [
    "ffconcat version 1.0",
    `file '${address.href.replaceAll("'", "'\\''")}'`,
    "option rtsp_transport tcp+udp",
    "option rtsp_flags prefer_tcp",
    `option timeout ${SOCKET_TIMEOUT_US}`,
    "option allowed_media_types video",
    "option fpsprobesize 0",
    "",
  ].join("\n");
}

/** Arguments of the child: no address, no secret. The script comes on descriptor 3, FLV leaves on 1. */
export const FFMPEG_ARGUMENTS: readonly string[] = [
  "-hide_banner -nostats -loglevel warning",
  "-f concat -safe 0 -protocol_whitelist pipe,rtsp,rtsps,rtp,tcp,udp,tls -max_pixels 33177600 -i pipe:3",
  "-map 0:v:0 -c copy -an -flush_packets 1 -f flv pipe:1",
].flatMap((group) => group.split(" "));

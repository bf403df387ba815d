import { parseRtspAddress } from "../../domain/rtsp-address.ts";
import type { Account } from "./digest.ts";
import { RtspClient } from "./rtsp-client.ts";

const TIMEOUT_MS = 5_000;

/**
 * Asks a camera to describe a stream (RFC 2326 §10.2) and returns the SDP. Signs in once, with an answer to
 * the camera's own challenge, never on suspicion.
 *
 * @throws EdgeError CAMERA_UNREACHABLE, CAMERA_AUTH_FAILED, RTSP_NOT_FOUND, RTSP_REDIRECT_REFUSED, RTSP_PROTOCOL
 */
export async function describeStream(
  url: string,
  account: Account | null,
  signal: AbortSignal,
): Promise<string> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(2 * TIMEOUT_MS)]);
  const client = await RtspClient.open(parseRtspAddress(url), account, {
    timeoutMs: TIMEOUT_MS,
    signal: deadline,
  });
  try {
    const { sdp } = await client.describe();
    return sdp;
  } finally {
    client.wire.destroy(new Error("the camera was asked"));
  }
}

import { parseRtspAddress } from "../../domain/rtsp-address.ts";
import type { Account } from "./digest.ts";
import { RtspClient } from "./rtsp-client.ts";

/** Gives the address to connect to, or refuses the host (ADDRESS_OUTSIDE_SITE). */
export type ResolveAddress = (host: string, signal: AbortSignal) => Promise<string>;

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
  { signal, resolve }: { readonly signal: AbortSignal; readonly resolve?: ResolveAddress | undefined },
): Promise<string> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(2 * TIMEOUT_MS)]);
  const address = parseRtspAddress(url);
  const connectTo = resolve ? await resolve(address.host, deadline) : undefined;
  const client = await RtspClient.open(address, account, {
    timeoutMs: TIMEOUT_MS,
    signal: deadline,
    connectTo,
  });
  try {
    const { sdp } = await client.describe();
    return sdp;
  } finally {
    client.wire.destroy(new Error("the camera was asked"));
  }
}

import { EdgeError } from "../../domain/faults.ts";
import { parseRtspAddress } from "../../domain/rtsp-address.ts";
import { type Account, authorization } from "./digest.ts";
import { RtspConnection, type RtspReply } from "./rtsp-connection.ts";

const TIMEOUT_MS = 5_000;

/**
 * Asks a camera to describe a stream (RFC 2326 §10.2) and returns the SDP. Signs in once, with an answer to
 * the camera's own challenge, never on suspicion.
 *
 * @throws EdgeError CAMERA_UNREACHABLE, CAMERA_AUTH_FAILED, RTSP_NOT_FOUND, RTSP_PROTOCOL
 */
export async function describeStream(
  url: string,
  account: Account | null,
  signal: AbortSignal,
): Promise<string> {
  const address = parseRtspAddress(url);
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(2 * TIMEOUT_MS)]);
  const connection = await RtspConnection.open(address, TIMEOUT_MS, deadline);
  try {
    const describe = (headers: Record<string, string>): Promise<RtspReply> =>
      connection.request("DESCRIBE", address.url, { Accept: "application/sdp", ...headers });
    let reply = await describe({});
    if (reply.status === 401) {
      const challenges = reply.headers.get("www-authenticate") ?? [];
      const header = account
        ? authorization(challenges, { method: "DESCRIBE", uri: address.url }, account)
        : null;
      if (header === null) throw refused(address.host, account !== null);
      reply = await describe({ Authorization: header });
    }
    return readSdp(reply, address.host, account !== null);
  } finally {
    connection.close();
  }
}

function readSdp(reply: RtspReply, host: string, hasAccount: boolean): string {
  const { status } = reply;
  if (status === 200) return reply.body;
  if (status === 401 || status === 403) throw refused(host, hasAccount);
  if (status === 404 || status === 454) {
    throw new EdgeError("RTSP_NOT_FOUND", `the camera at ${host} answered ${status}`, {
      details: { status },
    });
  }
  // A redirect is not followed: it could lead anywhere.
  throw new EdgeError("RTSP_PROTOCOL", `the camera at ${host} answered ${status}`, { details: { status } });
}

function refused(host: string, hasAccount: boolean): EdgeError {
  const what = hasAccount ? "refused the account" : "asks for an account and none is configured";
  return new EdgeError("CAMERA_AUTH_FAILED", `the camera at ${host} ${what}`);
}

import { messageOf } from "@huishi/kernel";
import { EdgeError } from "../../domain/faults.ts";

const TIMEOUT_MS = 5_000;

const QUESTION =
  '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>' +
  '<GetDeviceInformation xmlns="http://www.onvif.org/ver10/device/wsdl"/></s:Body></s:Envelope>';

/**
 * Does the device ask for HTTP digest (ONVIF Core §5.9.1) instead of a WS-Security username token? Asked
 * without any credential, because a sign-in of the wrong kind would count as a wrong password, and cameras
 * lock accounts.
 *
 * @throws EdgeError CAMERA_UNREACHABLE
 */
export async function needsHttpDigest(serviceUrl: URL, signal: AbortSignal): Promise<boolean> {
  // Node's fetch refuses self-signed certificates; such devices are spoken to with username tokens.
  if (serviceUrl.protocol !== "http:") return false;
  try {
    const response = await fetch(serviceUrl, {
      method: "POST",
      headers: { "content-type": "application/soap+xml; charset=utf-8", connection: "close" },
      body: QUESTION,
      redirect: "manual",
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    await response.body?.cancel();
    return response.status === 401 && /\bdigest\b/i.test(response.headers.get("www-authenticate") ?? "");
  } catch (cause) {
    signal.throwIfAborted();
    const why = messageOf((cause as Error).cause ?? cause);
    throw new EdgeError("CAMERA_UNREACHABLE", `the camera at ${serviceUrl.host} does not answer (${why})`);
  }
}

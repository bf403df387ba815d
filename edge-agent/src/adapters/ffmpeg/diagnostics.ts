import { EdgeError } from "../../domain/faults.ts";

/**
 * What ffmpeg's last words mean. Its text is matched, never passed on: it repeats addresses with passwords.
 */
export function faultFromDiagnostics(diagnostics: string, address: string): EdgeError {
  if (/40[13] (Unauthorized|Forbidden)|method DESCRIBE failed: 40[13]/i.test(diagnostics)) {
    return new EdgeError("CAMERA_AUTH_FAILED", `${address} refused the account`);
  }
  if (/404 (Stream )?Not Found|method DESCRIBE failed: 404/i.test(diagnostics)) {
    return new EdgeError("RTSP_NOT_FOUND", `${address} does not exist`);
  }
  if (
    /Connection (refused|timed out|reset)|No route to host|Network is unreachable|Failed to resolve/i.test(
      diagnostics,
    )
  ) {
    return new EdgeError("CAMERA_UNREACHABLE", `${address} does not answer`);
  }
  if (/Video codec hevc not compatible|codec not currently supported in container/i.test(diagnostics)) {
    return new EdgeError("CAMERA_NO_H264", `${address} sends no H.264`);
  }
  if (/Invalid data found|Protocol not (on whitelist|found)|matches no streams/i.test(diagnostics)) {
    return new EdgeError("RTSP_PROTOCOL", `${address} is no RTSP video stream`);
  }
  return new EdgeError("RTSP_STREAM_ENDED", `the stream of ${address} ended`);
}

import type { CameraConfig, EdgeAgentConfig } from "../../config.ts";
import { centreChecks } from "./centre-checks.ts";
import { type Check, check, words } from "./finding.ts";
import { machineChecks } from "./machine-checks.ts";
import { answered, connectTo } from "./tcp.ts";

const DEFAULT_PORTS: Readonly<Record<string, number>> = {
  "http:": 80,
  "https:": 443,
  "rtsp:": 554,
  "rtsps:": 322,
};

/** Every check of a site, in the order in which faults should be mended. */
export function checksOf(config: EdgeAgentConfig): Check[] {
  return [...machineChecks(config), ...centreChecks(config), ...config.cameras.map(cameraCheck)];
}

/** Only opens a connection: a sign-in could lock the account. */
function cameraCheck(camera: CameraConfig, index: number): Check {
  const url = new URL(camera.onvif ?? camera.rtsp?.main ?? "");
  const port = Number(url.port) || (DEFAULT_PORTS[url.protocol] ?? 554);
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const advice = {
    en: "CAMERA_UNREACHABLE: check the camera's power, network and address",
    zh: "CAMERA_UNREACHABLE：检查摄像机的供电、网络和地址",
  };
  const id = camera.id ?? index + 1;
  return check(words(`camera ${id}`, `摄像机 ${id}`), advice, async (signal) => {
    const ms = await connectTo({ host, port, signal });
    return answered(`${host}:${port}`, ms);
  });
}

// How devices are found: guard of the site's networks, probers, quarantine, scan.
import type { EdgeAgentConfig } from "./config.ts";
import { parseRtspAddress } from "./domain/rtsp-address.ts";

/** Hosts that a person typed into the local file: they are spoken to as typed, inside the site's networks or not. */
export function typedHosts({ cameras, discovery }: Pick<EdgeAgentConfig, "cameras" | "discovery">): string[] {
  const ofCameras = cameras.flatMap(({ onvif, rtsp }) => [
    ...(onvif === undefined ? [] : [new URL(onvif).hostname]),
    ...Object.values(rtsp ?? {}).map((url) => parseRtspAddress(url).host),
  ]);
  // Who has the agent probe on the loopback interface means what answers there.
  return discovery.interfaceAddress === "127.0.0.1" ? [...ofCameras, "127.0.0.1"] : ofCameras;
}

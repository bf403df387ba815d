// Simulated cameras in a process of their own. Started by SiteNetwork.
import { CameraSimulator, type CameraOptions } from "@huishi/camera-simulator";

export interface SiteCameras {
  readonly cacheDir: string;
  readonly cameras: readonly Omit<CameraOptions, "source">[];
}
export interface StartedCamera {
  readonly name: string;
  readonly onvifUrl: string;
  readonly rtspMainUrl: string;
  readonly endpoint: string;
}

const { cacheDir, cameras } = JSON.parse(process.argv[2] ?? "") as SiteCameras;
const source = { kind: "clip", codec: "h264", width: 320, height: 240, fps: 10, groupSeconds: 1 } as const;
const simulator = new CameraSimulator({ cacheDir });
const started: StartedCamera[] = [];
for (const options of cameras) {
  const { name, onvifUrl, rtspMainUrl, endpointAddress } = await simulator.start({ ...options, source });
  started.push({ name, onvifUrl, rtspMainUrl, endpoint: endpointAddress });
}
process.send?.(started);
process.once("disconnect", () => process.exit(0));

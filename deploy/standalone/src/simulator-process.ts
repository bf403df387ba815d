// Forked by the standalone launcher: plays video files as ONVIF/RTSP cameras.
import { CameraSimulator } from "@huishi/camera-simulator";
import { HuishiError, messageOf } from "@huishi/kernel";

/** What the launcher sends first. */
export interface SimulatorOrder {
  readonly cacheDir: string;
  readonly cameras: readonly SimulatedCameraOrder[];
}

// Forked by the launcher: plays videos as ONVIF/RTSP cameras. The order, with the cameras' account, comes over
// IPC; the answer says where each camera is, or why it could not be played.
import { CameraSimulator, type SimulatedCamera } from "@huishi/camera-simulator";
import { HuishiError, messageOf } from "@huishi/kernel";
import type { PlayedCamera, SimulatorAnswer, SimulatorOrder } from "./simulator-order.ts";

process.once("message", (message) => {
  void play(message as SimulatorOrder);
});

async function play(order: SimulatorOrder): Promise<void> {
  const simulator = new CameraSimulator({ cacheDir: order.cacheDir });
  endWithParent(simulator);
  const results = await Promise.all(order.cameras.map((camera) => playOne(simulator, order, camera)));
  process.send?.({ cameras: results } satisfies SimulatorAnswer);
}

async function playOne(
  simulator: CameraSimulator,
  { username, password }: SimulatorOrder,
  wanted: SimulatorOrder["cameras"][number],
): Promise<PlayedCamera> {
  try {
    const playing: SimulatedCamera = await simulator.start({
      name: wanted.name,
      serial: wanted.serial,
      source: wanted.videoFile === null ? { kind: "generated" } : { kind: "file", path: wanted.videoFile },
      username,
      password,
      discovery: true,
    });
    return { serial: wanted.serial, onvifUrl: playing.onvifUrl };
  } catch (error) {
    const code = error instanceof HuishiError ? error.code : "SIMULATOR_FAILED";
    return { serial: wanted.serial, fault: { code, message: messageOf(error) } };
  }
}

function endWithParent(simulator: CameraSimulator): void {
  const end = (): void => {
    void simulator.stop().finally(() => process.exit(0));
  };
  process.once("SIGTERM", end);
  process.once("SIGINT", end);
  process.once("disconnect", end);
}

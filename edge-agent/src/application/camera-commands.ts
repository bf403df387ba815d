import { EdgeError } from "../domain/faults.ts";
import type { CameraControl, CommandHandler, Uploader } from "./ports.ts";
import type { SignInGate } from "./sign-in-ledger.ts";

export interface ControlledCamera {
  /** Null while nobody knows where the camera is. */
  readonly control: () => CameraControl | null;
  readonly gate: SignInGate;
}

export interface CameraCommandsOptions {
  /** Null for a camera that is not this agent's, or that has no ONVIF service. */
  readonly find: (cameraId: string) => ControlledCamera | null;
  readonly uploader: Uploader;
}

/** The handlers of `ptz`, `imaging` and `snapshot`. A refused account is not tried again by them either. */
export class CameraCommands {
  readonly #options: CameraCommandsOptions;

  constructor(options: CameraCommandsOptions) {
    this.#options = options;
  }

  readonly ptz: CommandHandler<"ptz"> = ({ cameraId, move }, signal) =>
    this.#with(cameraId, (control) => control.move(move, signal));

  readonly imaging: CommandHandler<"imaging"> = ({ cameraId, set }, signal) =>
    this.#with(cameraId, async (control) => ({ imaging: await control.image(set, signal) }));

  readonly snapshot: CommandHandler<"snapshot"> = async ({ cameraId, transferId }, signal) => {
    const jpeg = await this.#with(cameraId, (control) => control.snapshot(signal));
    const content = { bytes: jpeg.length, chunks: (fromByte: number) => chunksOf(jpeg.subarray(fromByte)) };
    await this.#options.uploader.upload(transferId, content, signal);
    return { bytes: jpeg.length, contentType: "image/jpeg" };
  };

  #with<T>(cameraId: string, work: (control: CameraControl) => Promise<T>): Promise<T> {
    const camera = this.#options.find(cameraId);
    if (!camera)
      return Promise.reject(
        new EdgeError("CAMERA_UNSUPPORTED", `${cameraId} is no ONVIF camera of this agent`),
      );
    const control = camera.control();
    if (!control)
      return Promise.reject(
        new EdgeError("CAMERA_UNREACHABLE", `the camera ${cameraId} was not seen on the network`),
      );
    return camera.gate.try(() => work(control));
  }
}

const CHUNK_BYTES = 48 * 1024;

async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) yield bytes.subarray(at, at + CHUNK_BYTES);
}

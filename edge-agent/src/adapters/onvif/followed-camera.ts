import type { CameraDevice, CameraSideEvent } from "../../application/ports.ts";
import type { CameraDescription } from "../../domain/camera-description.ts";
import { EdgeError } from "../../domain/faults.ts";

/** A camera that is known by the key of a found device: spoken to wherever discovery saw it last. */
export class FollowedCamera implements CameraDevice {
  readonly #deviceKey: string;
  readonly #locate: (deviceKey: string) => string | null;
  readonly #open: (serviceUrl: string) => CameraDevice;
  #at: { readonly url: string; readonly device: CameraDevice } | null = null;

  constructor(options: {
    readonly deviceKey: string;
    readonly locate: (deviceKey: string) => string | null;
    readonly open: (serviceUrl: string) => CameraDevice;
  }) {
    this.#deviceKey = options.deviceKey;
    this.#locate = options.locate;
    this.#open = options.open;
  }

  get address(): string {
    return this.#find()?.address ?? this.#deviceKey;
  }

  async describe(signal: AbortSignal): Promise<CameraDescription> {
    return this.#device().describe(signal);
  }

  async checkHealth(
    description: CameraDescription,
    signal: AbortSignal,
  ): Promise<{ clockOffsetMs?: number }> {
    const device = this.#device();
    // Streams and services are at the new address: the camera is read again.
    if (device.address !== description.address)
      throw new EdgeError("CAMERA_UNREACHABLE", `the camera ${this.#deviceKey} has a new address`);
    return device.checkHealth(description, signal);
  }

  async watchMotion(
    onMotion: (isActive: boolean, atMs: number) => void,
    signal: AbortSignal,
    onEvent?: (event: CameraSideEvent) => void,
  ): Promise<void> {
    return this.#device().watchMotion(onMotion, signal, onEvent);
  }

  #device(): CameraDevice {
    const device = this.#find();
    if (!device)
      throw new EdgeError("CAMERA_UNREACHABLE", `the device ${this.#deviceKey} was not seen on the network`);
    return device;
  }

  #find(): CameraDevice | null {
    const url = this.#locate(this.#deviceKey);
    if (url === null) return this.#at?.device ?? null;
    if (this.#at?.url !== url) this.#at = { url, device: this.#open(url) };
    return this.#at.device;
  }
}

/** The fault switches that a test holds, over the state that the servers read. */
import type { ClipOptions } from "../source/clip-cache.ts";
import type { CodedClip } from "../source/coded-clip.ts";
import { giantPicture } from "../source/giant-picture.ts";
import type { VideoSource } from "../source/video-stream.ts";
import type { FaultState } from "./fault-state.ts";
import type { CameraFaults, ReplacementPictures, ServerFaults, StreamFaults, StreamName } from "./types.ts";

export class CameraFaultSwitches implements CameraFaults {
  readonly #state: FaultState;
  readonly #source: VideoSource;
  readonly #prepareClip: (options: ClipOptions) => Promise<CodedClip>;

  constructor(
    state: FaultState,
    source: VideoSource,
    prepareClip: (options: ClipOptions) => Promise<CodedClip>,
  ) {
    this.#state = state;
    this.#source = source;
    this.#prepareClip = prepareClip;
  }

  setStream(stream: StreamName, faults: StreamFaults): void {
    this.#state.setStream(stream, faults);
  }

  setServer(faults: ServerFaults): void {
    this.#state.setServer(faults);
  }

  async replacePictures(
    stream: StreamName,
    pictures: ReplacementPictures,
    { announced = true }: { readonly announced?: boolean } = {},
  ): Promise<void> {
    const target = this.#source[stream];
    const clip =
      pictures === "giant"
        ? giantPicture(16_384, 8_192, target.fps)
        : await this.#prepareClip({ fps: target.fps, ...pictures });
    target.replace(clip, announced);
  }

  restorePictures(stream: StreamName): void {
    this.#source[stream].replace(undefined);
  }

  clear(): void {
    this.#state.clear();
    this.restorePictures("main");
    this.restorePictures("sub");
  }
}

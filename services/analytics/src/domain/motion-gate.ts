import type { Box } from "@huishi/kernel";

export interface MotionGateOptions {
  /** Size of the luma pictures that `update` is given, about 320 wide. */
  readonly width: number;
  readonly height: number;
}

export interface Motion {
  /** Something moves. */
  readonly active: boolean;
  /** Where, normalised, largest first. */
  readonly boxes: readonly Box[];
  /** The whole picture changed at once (lamps, exposure, a switched camera): the background was taken anew. */
  readonly lightingStep: boolean;
}

/** Background model on small luma pictures that says cheaply whether and where anything moves. */
export declare class MotionGate {
  constructor(options: MotionGateOptions);
  update(luma: Uint8Array, capturedAtMs: number): Motion;
}

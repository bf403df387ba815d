/** What parent and child say to each other over the IPC channel (structured clone: `serialization: "advanced"`). */
import type { AccessUnit, ObjectClass } from "@huishi/contracts";
import type { DetectorChoice } from "../../application/detection/detector-choice.ts";
import type { AnalysedFrame } from "../../application/ports.ts";
import type { BackgroundWatch, Detection, Region } from "../../domain/index.ts";

export interface FeedSettings {
  readonly cameraId: string;
  /** Frames analysed a second, at most. */
  readonly sampleFps: number;
  /** Nothing but keyframes is decoded. Default false. */
  readonly keyframesOnly?: boolean;
  /** Other classes are not followed. Default: all that the model knows. */
  readonly classes?: readonly ObjectClass[];
  /** Look only where something moves or is known to be. Default true. */
  readonly motionGate?: boolean;
  /** What the pictures are looked at for beside their tracks. Default: nothing. */
  readonly watch?: BackgroundWatch;
}

/** Feeds have numbers of their own: a camera that is closed and opened again must not be taken for the old one. */
export type ToChild =
  | { readonly type: "open"; readonly feedId: number; readonly settings: FeedSettings }
  | { readonly type: "close"; readonly feedId: number }
  | { readonly type: "watch"; readonly feedId: number; readonly watch: BackgroundWatch | null }
  | { readonly type: "unit"; readonly feedId: number; readonly unit: AccessUnit; readonly sentAtMs: number }
  | {
      readonly type: "snapshot";
      readonly feedId: number;
      readonly requestId: number;
      readonly capturedAtMs: number;
    }
  | { readonly type: "stop" };

/** An analysed frame as the child knows it, with what was looked at and found. */
export interface FrameResult extends Omit<AnalysedFrame, "session"> {
  readonly detections: readonly Detection[];
  readonly regions: readonly Region[];
}

export type ToParent =
  | { readonly type: "ready"; readonly classes: readonly ObjectClass[]; readonly provider: string }
  | { readonly type: "failed"; readonly code: string; readonly message: string }
  | { readonly type: "frame"; readonly feedId: number; readonly result: FrameResult }
  | { readonly type: "drop"; readonly feedId: number; readonly reason: string; readonly count: number }
  | { readonly type: "fault"; readonly feedId: number; readonly code: string; readonly message: string }
  | { readonly type: "snapshot"; readonly requestId: number; readonly jpeg: Uint8Array | null };

/** How a child is told which detector to open. */
export interface ChildConfig {
  /** Default: the service's own model on onnxruntime's CPU. */
  readonly detector?: DetectorChoice;
}

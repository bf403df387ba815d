/** What parent and child say to each other over the IPC channel (structured clone). */
import type { ClipType } from "@huishi/contracts";
import type { BackgroundWatch } from "../../domain/index.ts";
import type { DetectorChoice } from "../../application/detection/detector-choice.ts";
import type { RehearsedFrame } from "../../application/rehearsal/ports.ts";

/** How a child is told what to look at. */
export interface ClipOrder {
  readonly file: string;
  readonly type: ClipType;
  /** Frames analysed a second, at most. */
  readonly sampleFps: number;
  /** What the pictures are looked at for beside their tracks; null: nothing. */
  readonly watch: BackgroundWatch | null;
  /** Default: our own model on the CPU. */
  readonly detector?: DetectorChoice;
}

export type ClipWord =
  | { readonly type: "begin" }
  /** `progress` is null while the clip does not say how long it is. */
  | { readonly type: "frame"; readonly frame: RehearsedFrame; readonly progress: number | null }
  | { readonly type: "done"; readonly lengthMs: number; readonly frames: number }
  | { readonly type: "failed"; readonly code: string; readonly message: string };

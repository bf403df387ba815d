import type { StreamProfile } from "@huishi/contracts";

/** One stream that a camera offers. `url` holds no credentials. */
export interface OfferedStream {
  readonly url: string;
  readonly codec: "h264" | "h265" | "unknown";
  readonly width: number;
  readonly height: number;
  readonly fps?: number;
  /** Set when a person said which one it is. */
  readonly profile?: StreamProfile;
}

export interface ChosenStream extends OfferedStream {
  readonly profile: StreamProfile;
}

/** What a camera says of itself. Texts are as the device gave them. */
export interface CameraDescription {
  readonly name?: string;
  readonly manufacturer?: string;
  readonly model?: string;
  readonly firmware?: string;
  readonly serial?: string;
  readonly hardwareAddress?: string;
  /** Host and port. */
  readonly address: string;
  readonly streams: readonly OfferedStream[];
  readonly ptz: boolean;
  readonly hasMotionEvents: boolean;
  /** Device clock minus agent clock, milliseconds. */
  readonly clockOffsetMs?: number;
}

/** Narrowest picture that is still of use on a wall and for analysis. */
const MIN_SUB_WIDTH = 320;
const area = (stream: OfferedStream): number => stream.width * stream.height;

/**
 * Main is the largest H.264 picture, sub the smallest one at least 320 wide. A camera with one usable stream
 * has a main stream only. Empty when it offers no H.264 (a stream whose codec is not known is taken on trust).
 */
export function chooseStreams(offered: readonly OfferedStream[]): ChosenStream[] {
  const usable = offered.filter((stream) => stream.codec !== "h265").sort((a, b) => area(b) - area(a));
  const main = usable[0];
  if (!main) return [];
  if (usable.every((stream) => stream.profile !== undefined)) return usable as ChosenStream[];
  const sub = usable.findLast((stream) => stream.width >= MIN_SUB_WIDTH);
  const chosen: ChosenStream[] = [{ ...main, profile: "main" }];
  if (sub && sub.url !== main.url) chosen.push({ ...sub, profile: "sub" });
  return chosen;
}

import type { CameraCapabilities, StreamProfile } from "@huishi/contracts";

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
  /** What else it can do, as far as it says so. */
  readonly capabilities?: CameraCapabilities;
  /** Device clock minus agent clock, milliseconds. */
  readonly clockOffsetMs?: number;
}

/** Narrowest picture that is still of use on a wall and for analysis. */
const MIN_SUB_WIDTH = 320;
const area = (stream: OfferedStream): number => stream.width * stream.height;

/**
 * Main is the largest picture, sub the smallest one at least 320 wide; at both, H.264 goes before H.265, which browsers
 * do not show, as long as it is not the poorer half (a 4K camera's H.265 beside a 640x360 H.264). A camera with one
 * usable stream has a main stream only. A stream whose codec is not known is taken on trust.
 */
export function chooseStreams(offered: readonly OfferedStream[]): ChosenStream[] {
  const usable = offered.toSorted((a, b) => area(b) - area(a));
  const [largest] = usable;
  if (!largest) return [];
  if (usable.every((stream) => stream.profile !== undefined)) return usable as ChosenStream[];
  const shown = usable.filter((stream) => stream.codec !== "h265");
  const main = shown[0] && area(shown[0]) * 2 >= area(largest) ? shown[0] : largest;
  const isSub = (stream: OfferedStream): boolean => stream.width >= MIN_SUB_WIDTH;
  const sub = shown.findLast(isSub) ?? usable.findLast(isSub);
  const chosen: ChosenStream[] = [{ ...main, profile: "main" }];
  if (sub && sub.url !== main.url) chosen.push({ ...sub, profile: "sub" });
  return chosen;
}

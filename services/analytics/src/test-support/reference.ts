/** What the float32 model finds in known pictures (score, and x, y, w, h in thousandths of the picture). */
import type { ObjectClass } from "@huishi/contracts";

type Reference = readonly [
  objectClass: ObjectClass,
  score: number,
  x: number,
  y: number,
  w: number,
  h: number,
];

/** `clip@seconds`, or the drawn street. */
export const REFERENCES: Readonly<Record<string, readonly Reference[]>> = {
  "drawn street": [
    ["car", 0.627, 518, 681, 401, 237],
    ["bus", 0.603, 91, 364, 522, 373],
  ],
  "vtest.avi@5": [
    ["person", 0.944, 484, 314, 41, 138],
    ["person", 0.886, 701, 369, 43, 162],
    ["person", 0.856, 656, 378, 42, 152],
    ["person", 0.808, 542, 317, 45, 134],
    ["car", 0.761, 832, 72, 103, 103],
    ["person", 0.437, 880, 449, 50, 196],
  ],
  "vtest.avi@40": [
    ["person", 0.879, 895, 520, 66, 193],
    ["person", 0.877, 760, 226, 38, 127],
    ["person", 0.872, 360, 334, 40, 152],
    ["car", 0.752, 832, 73, 105, 101],
  ],
  "vehicle_counting_input.mp4@6": [["car", 0.77, 686, 671, 301, 329]],
  "vehicle_counting_input.mp4@18": [
    ["car", 0.981, 546, 490, 398, 506],
    ["person", 0.336, 49, 319, 238, 623],
  ],
};

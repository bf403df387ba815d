/** A moment of a scene: the channel's value there. Between two moments it goes straight from one to the other. */
export interface Moment {
  readonly atMs: number;
  readonly value: number;
}

/** What happens at one sensor: its channels over time, from the beginning again after `lengthMs`. */
export interface Scene {
  readonly name: string;
  readonly lengthMs: number;
  readonly channels: Readonly<Record<string, readonly Moment[]>>;
  /** Channels that jump instead: switches. */
  readonly switches?: readonly string[];
}

/** The values of a scene's channels so long after its beginning. */
export function valuesAt(scene: Scene, elapsedMs: number): Record<string, number> {
  const atMs = elapsedMs % scene.lengthMs;
  return Object.fromEntries(
    Object.entries(scene.channels).map(([name, moments]) => [
      name,
      valueOf(moments, atMs, scene.switches?.includes(name) ?? false),
    ]),
  );
}

function valueOf(moments: readonly Moment[], atMs: number, isSwitch: boolean): number {
  const next = moments.findIndex((moment) => moment.atMs > atMs);
  const before = moments[next < 0 ? moments.length - 1 : Math.max(0, next - 1)];
  const after = moments[next];
  if (!before) return 0;
  if (!after || isSwitch || after === before || atMs < before.atMs) return before.value;
  const share = (atMs - before.atMs) / (after.atMs - before.atMs);
  return Number((before.value + (after.value - before.value) * share).toFixed(4));
}

const MINUTE = 60_000;
const over = (...pairs: readonly (readonly [seconds: number, value: number])[]): Moment[] =>
  pairs.map(([seconds, value]) => ({ atMs: seconds * 1_000, value }));

/** Scenes of a city, a minute or two long. Values in the units that their names say. */
export const SCENES = {
  /** An underpass fills in heavy rain and is pumped dry. */
  road_flood: {
    name: "road_flood",
    lengthMs: 2 * MINUTE,
    channels: {
      depth_cm: over([0, 0], [20, 2], [50, 31], [70, 31], [100, 3], [120, 0]),
      rain_mm_h: over([0, 0], [10, 45], [40, 60], [60, 5], [120, 0]),
    },
  },
  /** A manhole cover is lifted and put back. */
  manhole: {
    name: "manhole",
    lengthMs: MINUTE,
    channels: {
      tilt_deg: over([0, 1], [20, 1], [21, 62], [45, 62], [46, 1]),
      open: over([0, 0], [21, 1], [46, 0]),
    },
    switches: ["open"],
  },
  /** A bin smoulders. */
  smoke: {
    name: "smoke",
    lengthMs: MINUTE,
    channels: {
      smoke: over([0, 0], [25, 1], [45, 0]),
      temperature_degC: over([0, 24], [25, 41], [40, 58], [60, 24]),
      gas_lel: over([0, 0], [20, 8], [30, 24], [50, 2]),
    },
    switches: ["smoke"],
  },
  /** A tide gauge, a day in two minutes. */
  tide: {
    name: "tide",
    lengthMs: 2 * MINUTE,
    channels: { level_m: over([0, 0.6], [30, 2.4], [60, 0.5], [90, 2.9], [120, 0.6]) },
  },
} as const satisfies Record<string, Scene>;
export type SceneName = keyof typeof SCENES;

import type { Granularity, ObjectClass, TimeRange } from "@huishi/contracts";

/** What every panel asks about. */
export interface Asked {
  readonly cameraId: string;
  readonly zoneId: string | null;
  /** null: all counting lines of the camera. */
  readonly ruleId: string | null;
  /** Empty: all classes. */
  readonly classes: { readonly class?: ObjectClass[] };
  readonly range: TimeRange;
  readonly by: Granularity;
  readonly timeZone: string;
  /** Rises when somebody wants newer figures. */
  readonly turn: number;
}

import type { StaticRegion } from "../background/static-region.ts";

/** What a frame may tell beside its tracks. */
export interface PictureFacts {
  /** Picture width / height. Default 16/9. */
  readonly aspectRatio?: number;
  /** What stands where nothing stood, and what is missing; absent: the picture was not looked at for that. */
  readonly staticRegions?: readonly StaticRegion[];
}

/** What a rule's machine is told of one frame beside its tracks. */
export interface SceneFacts {
  readonly aspectRatio: number;
  readonly staticRegions: readonly StaticRegion[] | null;
  /** False while the rule's sensor condition does not hold: then nothing may be raised. */
  readonly mayRaise: boolean;
}

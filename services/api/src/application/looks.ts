import type { Watch } from "@huishi/contracts";
import type { User } from "./identity.ts";

/** Every look gets a name and a purpose (State Council Order 799, art. 16(2)); the purpose is asked for in a later version. */
export const WALL_PURPOSE = "operations wall";

export interface LookStore {
  /** Writes that a person began to look; returns an id for each watch, in order. */
  startLooks(person: User, watches: readonly Watch[], purpose: string): Promise<string[]>;
  endLooks(ids: readonly string[]): Promise<void>;
}

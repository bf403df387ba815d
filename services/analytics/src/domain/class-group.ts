import type { ObjectClass } from "@huishi/contracts";

/** Classes that a detector takes for one another: within a group one object may change its class, never across. */
const GROUPS: Readonly<Record<ObjectClass, "person" | "cycle" | "vehicle" | "boat" | "animal">> = {
  person: "person",
  bicycle: "cycle",
  motorcycle: "cycle",
  car: "vehicle",
  bus: "vehicle",
  truck: "vehicle",
  train: "vehicle",
  boat: "boat",
  dog: "animal",
  cat: "animal",
};

/** Could both be readings of one object? */
export function sameGroup(a: ObjectClass, b: ObjectClass): boolean {
  return a === b || GROUPS[a] === GROUPS[b];
}

import { HuishiError } from "@huishi/kernel";

/** Things that questions name by id. */
export type Named = "camera" | "area" | "zone" | "rule";

export interface NameDirectory {
  /** Of these ids the first that nothing has, or null. */
  firstUnknown(kind: Named, ids: readonly string[]): Promise<string | null>;
  /** Narrow numbers of cameras; unknown ids are left out. */
  cameraNos(ids: readonly string[]): Promise<number[]>;
  /** What people call these; unknown ids are left out. */
  namesOf(kind: Named, ids: readonly string[]): Promise<ReadonlyMap<string, string>>;
}

const UNKNOWN: Readonly<Record<Named, () => HuishiError>> = {
  camera: () => notThere("CAMERA_NOT_FOUND", "camera"),
  area: () => notThere("AREA_NOT_FOUND", "area"),
  zone: () => notThere("ZONE_NOT_FOUND", "zone"),
  rule: () => notThere("RULE_NOT_FOUND", "rule"),
};

/**
 * A question that names what is not there is a mistake, not an empty answer.
 *
 * @throws HuishiError CAMERA_NOT_FOUND, AREA_NOT_FOUND, ZONE_NOT_FOUND, RULE_NOT_FOUND
 */
export async function requireKnown(
  directory: NameDirectory,
  kind: Named,
  ids: readonly string[],
): Promise<void> {
  if (ids.length === 0) return;
  const unknown = await directory.firstUnknown(kind, ids);
  if (unknown === null) return;
  const { code, message } = UNKNOWN[kind]();
  throw new HuishiError(code, message, { details: { id: unknown } });
}

function notThere(code: string, what: string): HuishiError {
  return new HuishiError(code, `There is no such ${what}; it may have been deleted. Read the list again.`);
}

export const areaNotFound = (id: string): HuishiError =>
  new HuishiError("AREA_NOT_FOUND", "There is no such area; read the list again.", { details: { id } });

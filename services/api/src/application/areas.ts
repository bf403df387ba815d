import type { Area } from "@huishi/contracts";
import { HuishiError } from "@huishi/kernel";
import { areaNotFound } from "./scope.ts";
import { settle, type Versioned } from "./versioned.ts";

export interface AreaDraft {
  readonly id: string;
  readonly name: string;
  readonly parentId: string | null;
  /** null: the area is to be made. */
  readonly version: number | null;
}

export type AreaPutOutcome =
  Versioned<Area> | { readonly outcome: "parentMissing" } | { readonly outcome: "cycle" };

export interface AreaStore {
  /** In order of id. */
  listAreas(asked: { after: string | null; limit: number }): Promise<Area[]>;
  /** One transaction; `parentMissing` and `cycle` change nothing. */
  putArea(draft: AreaDraft): Promise<AreaPutOutcome>;
  /** `inUse`: cameras, sensors or areas are in it. */
  deleteArea(id: string): Promise<"done" | "missing" | "inUse">;
}

export async function pageAreas(
  store: AreaStore,
  asked: { after?: string; limit?: number },
): Promise<{ areas: Area[]; next: string | null }> {
  const { after = null, limit = 1_000 } = asked;
  const rows = await store.listAreas({ after, limit: limit + 1 });
  const areas = rows.slice(0, limit);
  return { areas, next: rows.length > limit ? (areas.at(-1)?.id ?? null) : null };
}

/** Makes or changes an area. @throws HuishiError AREA_NOT_FOUND, AREA_CYCLE, VERSION_CONFLICT */
export async function putArea(store: AreaStore, draft: AreaDraft): Promise<Area> {
  const put = await store.putArea(draft);
  if (put.outcome === "parentMissing") throw areaNotFound(draft.parentId ?? "");
  if (put.outcome === "cycle") {
    throw new HuishiError(
      "AREA_CYCLE",
      "An area cannot lie in itself or in an area below it; choose another parent.",
      {
        details: { id: draft.id, parentId: draft.parentId },
      },
    );
  }
  return settle(put, () => areaNotFound(draft.id));
}

/** @throws HuishiError AREA_NOT_FOUND, AREA_IN_USE */
export async function deleteArea(store: AreaStore, id: string): Promise<void> {
  const outcome = await store.deleteArea(id);
  if (outcome === "missing") throw areaNotFound(id);
  if (outcome === "inUse") {
    throw new HuishiError("AREA_IN_USE", "Cameras, sensors or areas lie in this area; move them first.", {
      details: { id },
    });
  }
}

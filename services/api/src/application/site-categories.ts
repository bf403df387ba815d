import type { SiteCategory, SiteCategoryPut } from "@huishi/contracts";
import { HuishiError } from "@huishi/kernel";
import { settle, type Versioned } from "./versioned.ts";

export type CategoryDraft = SiteCategoryPut & { readonly slug: string; readonly by: string };

/** `inUse`: cameras are registered there. `fixed`: the law's own list, which nobody takes back here. */
export type CategoryRefusal =
  { readonly outcome: "inUse"; readonly cameras: number } | { readonly outcome: "fixed" };

export interface SiteCategoryStore {
  listCategories(): Promise<SiteCategory[]>;
  /** One transaction; a refusal changes nothing. */
  putCategory(draft: CategoryDraft): Promise<Versioned<SiteCategory> | CategoryRefusal>;
  deleteCategory(slug: string): Promise<{ readonly outcome: "done" | "missing" } | CategoryRefusal>;
}

/**
 * Makes a category, or (with `version`) changes it.
 *
 * @throws HuishiError SITE_CATEGORY_BASIS, SITE_CATEGORY_NOT_FOUND, SITE_CATEGORY_IN_USE, SITE_CATEGORY_FIXED,
 *   VERSION_CONFLICT
 */
export async function putCategory(store: SiteCategoryStore, draft: CategoryDraft): Promise<SiteCategory> {
  const basis = draft.basis?.trim() || null;
  if (draft.prohibited && basis === null)
    throw new HuishiError("SITE_CATEGORY_BASIS", "A prohibition needs its basis; name the law or decision.");
  const put = await store.putCategory({ ...draft, basis });
  if (put.outcome === "inUse" || put.outcome === "fixed") throw refused(draft.slug, put);
  return settle(put, () => notFound(draft.slug));
}

/** @throws HuishiError SITE_CATEGORY_NOT_FOUND, SITE_CATEGORY_IN_USE, SITE_CATEGORY_FIXED */
export async function deleteCategory(store: SiteCategoryStore, slug: string): Promise<void> {
  const deleted = await store.deleteCategory(slug);
  if (deleted.outcome === "inUse" || deleted.outcome === "fixed") throw refused(slug, deleted);
  if (deleted.outcome === "missing") throw notFound(slug);
}

function refused(slug: string, refusal: CategoryRefusal): HuishiError {
  if (refusal.outcome === "fixed")
    return new HuishiError(
      "SITE_CATEGORY_FIXED",
      "The law prohibits cameras at places of this category; its prohibition can be neither lifted nor deleted.",
      { details: { siteCategory: slug } },
    );
  return new HuishiError(
    "SITE_CATEGORY_IN_USE",
    "Cameras are registered at places of this category; change their records first.",
    { details: { siteCategory: slug, cameras: refusal.cameras } },
  );
}

const notFound = (slug: string): HuishiError =>
  new HuishiError("SITE_CATEGORY_NOT_FOUND", "There is no such site category; read the list again.", {
    details: { siteCategory: slug },
  });

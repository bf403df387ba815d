import type { SiteCategory } from "@huishi/contracts";
import { type Pool, type PoolClient, withTransaction } from "@huishi/platform";
import type { CategoryDraft, CategoryRefusal, SiteCategoryStore } from "../../application/site-categories.ts";
import type { Versioned } from "../../application/versioned.ts";

export interface CategoryRow {
  readonly slug: string;
  readonly name: string;
  readonly name_en: string;
  readonly prohibited: boolean;
  readonly basis: string | null;
  readonly version: number;
  readonly fixed: boolean;
}

export const CATEGORY_COLUMNS = "slug, name, name_en, prohibited, basis, version, fixed";

export class PostgresSiteCategoryStore implements SiteCategoryStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async listCategories(): Promise<SiteCategory[]> {
    const found = await this.#pool.query<CategoryRow>(
      `SELECT ${CATEGORY_COLUMNS} FROM site_category ORDER BY prohibited, slug`,
    );
    return found.rows.map(toCategory);
  }

  putCategory(draft: CategoryDraft): Promise<Versioned<SiteCategory> | CategoryRefusal> {
    return withTransaction(this.#pool, async (client) => {
      const { slug, name, nameEn, prohibited, basis, version, by } = draft;
      // No camera is registered at a place while the place becomes prohibited.
      await client.query("LOCK TABLE device_record IN SHARE MODE");
      const current = await find(client, slug);
      if (version === undefined) {
        if (current) return { outcome: "conflict", current: toCategory(current) };
        const made = await client.query<CategoryRow>(
          `INSERT INTO site_category (slug, name, name_en, prohibited, basis, updated_by)
           VALUES ($1, $2, $3, $4, $5, $6) RETURNING ${CATEGORY_COLUMNS}`,
          [slug, name, nameEn, prohibited, basis, by],
        );
        return { outcome: "done", row: toCategory(made.rows[0] as CategoryRow) };
      }
      if (!current) return { outcome: "missing" };
      if (current.version !== version) return { outcome: "conflict", current: toCategory(current) };
      if (current.fixed && !prohibited) return { outcome: "fixed" };
      const cameras = prohibited && !current.prohibited ? await camerasAt(client, slug) : 0;
      if (cameras > 0) return { outcome: "inUse", cameras };
      const changed = await client.query<CategoryRow>(
        `UPDATE site_category SET name = $2, name_en = $3, prohibited = $4, basis = $5, updated_by = $6,
           updated_at = now(), version = version + 1 WHERE slug = $1 RETURNING ${CATEGORY_COLUMNS}`,
        [slug, name, nameEn, prohibited, basis, by],
      );
      return { outcome: "done", row: toCategory(changed.rows[0] as CategoryRow) };
    });
  }

  deleteCategory(slug: string): Promise<{ readonly outcome: "done" | "missing" } | CategoryRefusal> {
    return withTransaction(this.#pool, async (client) => {
      const current = await find(client, slug);
      if (!current) return { outcome: "missing" };
      if (current.fixed) return { outcome: "fixed" };
      const cameras = await camerasAt(client, slug);
      if (cameras > 0) return { outcome: "inUse", cameras };
      await client.query("DELETE FROM site_category WHERE slug = $1", [slug]);
      return { outcome: "done" };
    });
  }
}

async function find(client: PoolClient, slug: string): Promise<CategoryRow | undefined> {
  const found = await client.query<CategoryRow>(
    `SELECT ${CATEGORY_COLUMNS} FROM site_category WHERE slug = $1 FOR UPDATE`,
    [slug],
  );
  return found.rows[0];
}

async function camerasAt(client: PoolClient, slug: string): Promise<number> {
  const found = await client.query<{ n: number }>(
    "SELECT count(*)::int AS n FROM device_record WHERE site_category = $1",
    [slug],
  );
  return found.rows[0]?.n ?? 0;
}

export const toCategory = (row: CategoryRow): SiteCategory => ({
  slug: row.slug,
  name: row.name,
  nameEn: row.name_en,
  prohibited: row.prohibited,
  basis: row.basis,
  isFixed: row.fixed,
  version: row.version,
});

import { SiteCategoryList, SiteCategoryParams, SiteCategoryPut, SiteCategorySchema } from "@huishi/contracts";
import { deleteCategory, putCategory, type SiteCategoryStore } from "../../../application/site-categories.ts";
import type { App } from "../app-type.ts";
import { sessionOf } from "../authorise.ts";
import { errorResponses, NoContent } from "../schemas.ts";

/** Kinds of places where cameras stand, and those where none may. */
export function addSiteCategoryRoutes(app: App, categories: SiteCategoryStore): void {
  const tags = ["device records"];
  app.get(
    "/api/v1/site-categories",
    {
      schema: {
        tags,
        summary: "Kinds of places where cameras stand, and those where none may",
        response: { 200: SiteCategoryList, ...errorResponses },
      },
    },
    async () => ({ categories: await categories.listCategories() }),
  );
  app.put(
    "/api/v1/site-categories/:slug",
    {
      schema: {
        tags,
        summary: "Make a kind of place, or (with `version`) change it",
        params: SiteCategoryParams,
        body: SiteCategoryPut,
        response: { 200: SiteCategorySchema, ...errorResponses },
      },
    },
    (request) =>
      putCategory(categories, {
        ...request.body,
        slug: request.params.slug,
        by: sessionOf(request).user.userName,
      }),
  );
  app.delete(
    "/api/v1/site-categories/:slug",
    {
      schema: {
        tags,
        summary: "Delete a kind of place where no camera stands",
        params: SiteCategoryParams,
        response: { 204: NoContent, ...errorResponses },
      },
    },
    async ({ params }, reply) => {
      await deleteCategory(categories, params.slug);
      return reply.code(204).send(null);
    },
  );
}

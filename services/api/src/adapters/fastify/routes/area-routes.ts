import { AreaPage, AreaPut, AreaQuery, AreaSchema } from "@huishi/contracts";
import { type AreaStore, deleteArea, pageAreas, putArea } from "../../../application/areas.ts";
import type { App } from "../app-type.ts";
import { errorResponses, IdParams, NoContent } from "../schemas.ts";

/** Parts of the city, one in another. */
export function addAreaRoutes(app: App, areas: AreaStore): void {
  const tags = ["areas"];
  app.get(
    "/api/v1/areas",
    {
      schema: {
        tags,
        summary: "All areas; `after` = `next` of the page before",
        querystring: AreaQuery,
        response: { 200: AreaPage, ...errorResponses },
      },
    },
    ({ query }) => pageAreas(areas, query),
  );
  app.put(
    "/api/v1/areas/:id",
    {
      schema: {
        tags,
        summary: "Make an area, or (with `version`) change it",
        params: IdParams,
        body: AreaPut,
        response: { 200: AreaSchema, ...errorResponses },
      },
    },
    ({ params: { id }, body: { name, parentId, version = null } }) =>
      putArea(areas, { id, name, parentId, version }),
  );
  app.delete(
    "/api/v1/areas/:id",
    {
      schema: {
        tags,
        summary: "Delete an area in which nothing lies",
        params: IdParams,
        response: { 204: NoContent, ...errorResponses },
      },
    },
    async ({ params }, reply) => {
      await deleteArea(areas, params.id);
      return reply.code(204).send(null);
    },
  );
}

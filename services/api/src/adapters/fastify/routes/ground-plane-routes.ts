import { GroundPlanePut, GroundPlaneSchema } from "@huishi/contracts";
import type { GroundPlanes } from "../../../application/ground-planes.ts";
import type { App } from "../app-type.ts";
import { errorResponses, IdParams, NoContent } from "../schemas.ts";

/** How a camera's picture lies on the ground: what speeds, densities and positions on the map need. */
export function addGroundPlaneRoutes(app: App, groundPlanes: GroundPlanes): void {
  const tags = ["cameras"];
  app.get(
    "/api/v1/cameras/:id/ground-plane",
    {
      schema: {
        tags,
        summary: "Four points of the ground, in the picture and on the map",
        params: IdParams,
        response: { 200: GroundPlaneSchema, ...errorResponses },
      },
    },
    ({ params }) => groundPlanes.get(params.id),
  );
  app.put(
    "/api/v1/cameras/:id/ground-plane",
    {
      schema: {
        tags,
        summary: "Give the four points; names the version it was made from (0: none yet)",
        params: IdParams,
        body: GroundPlanePut,
        response: { 200: GroundPlaneSchema, ...errorResponses },
      },
    },
    ({ params, body }) => groundPlanes.put({ cameraId: params.id, ...body }),
  );
  app.delete(
    "/api/v1/cameras/:id/ground-plane",
    {
      schema: {
        tags,
        summary: "Forget the ground plane; refused while rules need it",
        params: IdParams,
        response: { 204: NoContent, ...errorResponses },
      },
    },
    async ({ params }, reply) => {
      await groundPlanes.delete(params.id);
      return reply.code(204).send(null);
    },
  );
}

import {
  CameraList,
  CameraPatch,
  CameraSchema,
  LineCountsQuery,
  LineCountsSchema,
  RuleCreate,
  RuleList,
  RuleSchema,
  RuleUpdate,
  ZoneCreate,
  ZoneList,
  ZoneSchema,
  ZoneUpdate,
} from "@huishi/contracts";
import { cameraNotFound, type CameraStore, changeCamera } from "../../../application/cameras.ts";
import type { NameDirectory } from "../../../application/scope.ts";
import type { ZonesAndRules } from "../../../application/zones-and-rules.ts";
import type { App } from "../app-type.ts";
import { errorResponses, IdParams, NoContent } from "../schemas.ts";

/** Cameras: list, name and place, delete. */
export function addCameraRoutes(app: App, cameras: CameraStore, names: NameDirectory): void {
  const tags = ["cameras"];
  app.get(
    "/api/v1/cameras",
    { schema: { tags, summary: "All cameras", response: { 200: CameraList, ...errorResponses } } },
    async () => ({ cameras: await cameras.listCameras() }),
  );
  app.patch(
    "/api/v1/cameras/:id",
    {
      schema: {
        tags,
        summary: "Name a camera, and say in which area it stands",
        params: IdParams,
        body: CameraPatch,
        response: { 200: CameraSchema, ...errorResponses },
      },
    },
    ({ params: { id }, body }) => changeCamera(cameras, names, { id, ...body }),
  );
  app.delete(
    "/api/v1/cameras/:id",
    {
      schema: {
        tags,
        summary:
          "Delete a camera with its zones, rules and alarms; an agent that still has it brings it back",
        params: IdParams,
        response: { 204: NoContent, ...errorResponses },
      },
    },
    async ({ params: { id } }, reply) => {
      if (!(await cameras.deleteCamera(id))) throw cameraNotFound(id);
      return reply.code(204).send(null);
    },
  );
}

/** Zones of a camera. */
export function addZoneRoutes(app: App, zonesAndRules: ZonesAndRules): void {
  const tags = ["zones"];
  app.get(
    "/api/v1/cameras/:id/zones",
    {
      schema: {
        tags,
        summary: "Zones of a camera",
        params: IdParams,
        response: { 200: ZoneList, ...errorResponses },
      },
    },
    async ({ params }) => ({ zones: await zonesAndRules.listZones(params.id) }),
  );
  app.post(
    "/api/v1/cameras/:id/zones",
    {
      schema: {
        tags,
        summary: "Draw a polygon or a directed line",
        params: IdParams,
        body: ZoneCreate,
        response: { 201: ZoneSchema, ...errorResponses },
      },
    },
    async ({ params, body }, reply) => reply.code(201).send(await zonesAndRules.createZone(params.id, body)),
  );
  app.put(
    "/api/v1/zones/:id",
    {
      schema: {
        tags,
        summary: "Change a zone; names the version it was made from",
        params: IdParams,
        body: ZoneUpdate,
        response: { 200: ZoneSchema, ...errorResponses },
      },
    },
    ({ params, body }) => zonesAndRules.updateZone(params.id, body),
  );
  app.delete(
    "/api/v1/zones/:id",
    {
      schema: {
        tags,
        summary: "Delete a zone and the rules that stand on it",
        params: IdParams,
        response: { 204: NoContent, ...errorResponses },
      },
    },
    async ({ params }, reply) => {
      await zonesAndRules.deleteZone(params.id);
      return reply.code(204).send(null);
    },
  );
}

/** Rules of a camera, and what its counting lines counted. */
export function addRuleRoutes(app: App, zonesAndRules: ZonesAndRules): void {
  const tags = ["rules"];
  app.get(
    "/api/v1/cameras/:id/rules",
    {
      schema: {
        tags,
        summary: "Rules of a camera",
        params: IdParams,
        response: { 200: RuleList, ...errorResponses },
      },
    },
    async ({ params }) => ({ rules: await zonesAndRules.listRules(params.id) }),
  );
  app.post(
    "/api/v1/cameras/:id/rules",
    {
      schema: {
        tags,
        summary: "Make a rule on a zone",
        params: IdParams,
        body: RuleCreate,
        response: { 201: RuleSchema, ...errorResponses },
      },
    },
    async ({ params, body }, reply) => reply.code(201).send(await zonesAndRules.createRule(params.id, body)),
  );
  app.put(
    "/api/v1/rules/:id",
    {
      schema: {
        tags,
        summary: "Change a rule; names the version it was made from",
        params: IdParams,
        body: RuleUpdate,
        response: { 200: RuleSchema, ...errorResponses },
      },
    },
    ({ params, body }) => zonesAndRules.updateRule(params.id, body),
  );
  app.delete(
    "/api/v1/rules/:id",
    {
      schema: {
        tags,
        summary: "Delete a rule",
        params: IdParams,
        response: { 204: NoContent, ...errorResponses },
      },
    },
    async ({ params }, reply) => {
      await zonesAndRules.deleteRule(params.id);
      return reply.code(204).send(null);
    },
  );
  app.get(
    "/api/v1/rules/:id/line-counts",
    {
      schema: {
        tags,
        summary: "Crossings of a line by direction and class in a time range (default: the last 24 hours)",
        params: IdParams,
        querystring: LineCountsQuery,
        response: { 200: LineCountsSchema, ...errorResponses },
      },
    },
    ({ params, query }) => zonesAndRules.countCrossings(params.id, query),
  );
}

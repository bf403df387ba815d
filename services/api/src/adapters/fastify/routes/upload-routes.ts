import { AgentUploadSchema, LogsRequest, SnapshotRequest } from "@huishi/contracts";
import { Readable } from "node:stream";
import { Type } from "typebox";
import type { AgentUploads } from "../../../application/agent-uploads.ts";
import type { App } from "../app-type.ts";
import { sessionOf } from "../authorise.ts";
import { errorResponses, IdParams } from "../schemas.ts";

const Binary = Type.Unsafe<Readable>({ type: "string", format: "binary" });
const Content = {
  content: { "application/gzip": { schema: Binary }, "image/jpeg": { schema: Binary } },
};

/** Logs of agents and snapshots of cameras, on request. */
export function addUploadRoutes(app: App, uploads: AgentUploads): void {
  const tags = ["uploads"];
  app.post(
    "/api/v1/agents/:id/logs",
    {
      schema: {
        tags,
        summary: "Ask an agent for its newest log lines; they come after the answer",
        params: IdParams,
        body: LogsRequest,
        response: { 202: AgentUploadSchema, ...errorResponses },
      },
    },
    async (request, reply) => {
      const { user } = sessionOf(request);
      const { maxBytes } = request.body;
      return reply.code(202).send(await uploads.requestLogs(request.params.id, maxBytes, user));
    },
  );
  app.post(
    "/api/v1/cameras/:id/snapshot",
    {
      schema: {
        tags,
        summary: "Ask a camera for one picture; names the purpose",
        params: IdParams,
        body: SnapshotRequest,
        response: { 202: AgentUploadSchema, ...errorResponses },
      },
    },
    async (request, reply) => {
      const { user } = sessionOf(request);
      const { purpose } = request.body;
      return reply.code(202).send(await uploads.requestSnapshot(request.params.id, purpose, user));
    },
  );
  addOneUpload(app, uploads);
}

function addOneUpload(app: App, uploads: AgentUploads): void {
  const tags = ["uploads"];
  app.get(
    "/api/v1/uploads/:id",
    {
      schema: {
        tags,
        summary: "One upload and its state; logs are for administrators",
        params: IdParams,
        response: { 200: AgentUploadSchema, ...errorResponses },
      },
    },
    (request) => uploads.get(request.params.id, sessionOf(request).user),
  );
  app.get(
    "/api/v1/uploads/:id/content",
    {
      schema: {
        tags,
        summary: "What came: a log (gzip, one JSON record a line) or a JPEG picture",
        params: IdParams,
        response: { 200: Content, ...errorResponses },
      },
    },
    async (request, reply) => {
      const content = await uploads.content(request.params.id, sessionOf(request).user);
      void reply.type(content.type).header("content-disposition", `attachment; filename="${content.name}"`);
      return reply.send(Readable.from(content.bytes));
    },
  );
}

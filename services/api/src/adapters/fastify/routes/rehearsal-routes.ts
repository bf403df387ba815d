import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import {
  Id,
  REHEARSAL_CHUNK_BYTES,
  RehearsalClipCreateBody,
  RehearsalClipSchema,
  RehearsalCreateBody,
  RehearsalList,
  RehearsalSchema,
} from "@huishi/contracts";
import { Type } from "typebox";
import type { RehearsalClips } from "../../../application/rehearsal-clips.ts";
import type { Rehearsals } from "../../../application/rehearsals.ts";
import type { App } from "../app-type.ts";
import { sessionOf } from "../authorise.ts";
import { errorResponses, IdParams, NoContent } from "../schemas.ts";

export interface RehearsalRouteParts {
  readonly rehearsals: Rehearsals;
  readonly clips: RehearsalClips;
}

const tags = ["rehearsals"];
const ChunkParams = Type.Object(
  { id: Id, no: Type.Integer({ minimum: 0, maximum: 4_095 }) },
  { additionalProperties: false },
);
// The bytes are looked at by what they are; a schema of text would refuse them.
const ChunkBody = { content: { "application/octet-stream": { schema: Type.Unsafe<Buffer>({}) } } };

/** Rules that are tried on what was perceived, or on a clip. */
export function addRehearsalRoutes(app: App, { rehearsals, clips }: RehearsalRouteParts): void {
  app.post(
    "/api/v1/rehearsals",
    {
      schema: {
        tags,
        summary: "Rehearse a rule on stored tracks (at most 7 days) or on a clip; raises nothing",
        body: RehearsalCreateBody,
        response: { 202: RehearsalSchema, ...errorResponses },
      },
    },
    async (request, reply) =>
      reply.code(202).send(await rehearsals.create(request.body, sessionOf(request).user)),
  );
  app.get(
    "/api/v1/rehearsals",
    {
      schema: {
        tags,
        summary: "Rehearsals of a camera's rules in the last 7 days, newest first, without their alarms",
        querystring: Type.Object({ cameraId: Id }, { additionalProperties: false }),
        response: { 200: RehearsalList, ...errorResponses },
      },
    },
    async ({ query }) => ({ rehearsals: await rehearsals.ofCamera(query.cameraId) }),
  );
  app.get(
    "/api/v1/rehearsals/:id",
    {
      schema: {
        tags,
        summary: "A rehearsal: how far it is, and what the rule would have raised",
        params: IdParams,
        response: { 200: RehearsalSchema, ...errorResponses },
      },
    },
    ({ params }) => rehearsals.get(params.id),
  );
  app.delete(
    "/api/v1/rehearsals/:id",
    {
      schema: {
        tags,
        summary: "Cancel a rehearsal that waits or runs; one that has ended stays",
        params: IdParams,
        response: { 200: RehearsalSchema, ...errorResponses },
      },
    },
    ({ params }) => rehearsals.cancel(params.id),
  );
  addClips(app, clips);
}

function addClips(app: App, clips: RehearsalClips): void {
  app.post(
    "/api/v1/rehearsals/clips",
    {
      schema: {
        tags,
        summary: "Announce a clip to rehearse on (up to 256 MiB and an hour); its chunks follow",
        body: RehearsalClipCreateBody,
        response: { 201: RehearsalClipSchema, ...errorResponses },
      },
    },
    async (request, reply) =>
      reply.code(201).send(await clips.announce(request.body, sessionOf(request).user)),
  );
  app.get(
    "/api/v1/rehearsals/clips/:id",
    {
      schema: {
        tags,
        summary: "A clip, and how much of it came",
        params: IdParams,
        response: { 200: RehearsalClipSchema, ...errorResponses },
      },
    },
    ({ params }) => clips.get(params.id),
  );
  app.delete(
    "/api/v1/rehearsals/clips/:id",
    {
      schema: {
        tags,
        summary: "Delete a clip; otherwise it goes after a day",
        params: IdParams,
        response: { 204: NoContent, ...errorResponses },
      },
    },
    async ({ params }, reply) => {
      await clips.delete(params.id);
      return reply.code(204).send(null);
    },
  );
  // A scope of its own: bytes are taken as a body here and nowhere else.
  void app.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("application/octet-stream", { parseAs: "buffer" }, (_request, body, parsed) =>
      parsed(null, body),
    );
    addChunkUpload(scope.withTypeProvider<TypeBoxTypeProvider>() as App, clips);
    done();
  });
}

/**
 * Chunks instead of one long body: each is checked for its length before a byte is read, is in memory alone, and comes
 * within the server's time limit for a request also over a slow line; a broken upload goes on where it stopped.
 */
function addChunkUpload(app: App, clips: RehearsalClips): void {
  app.put(
    "/api/v1/rehearsals/clips/:id/chunks/:no",
    {
      bodyLimit: REHEARSAL_CHUNK_BYTES,
      schema: {
        tags,
        summary:
          "Send one chunk of a clip: 1 MiB, the last one what is left; in any order, twice does no harm",
        params: ChunkParams,
        body: ChunkBody,
        response: { 200: RehearsalClipSchema, ...errorResponses },
      },
    },
    (request) => {
      const { id, no } = request.params;
      // Without a content type there is no body.
      const bytes = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      return clips.put(id, no, bytes, sessionOf(request).user);
    },
  );
}

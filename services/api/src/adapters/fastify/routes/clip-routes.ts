import {
  ClipList,
  ClipMediaQuery,
  ClipRequest,
  ClipSchema,
  RecordingListSchema,
  type RecordingList,
  RecordingsQuery,
  SignedTextSchema,
} from "@huishi/contracts";
import { Readable } from "node:stream";
import { Type } from "typebox";
import type { AgentCommands } from "../../../application/agent-commands.ts";
import type { Clips } from "../../../application/clips.ts";
import type { App } from "../app-type.ts";
import { sessionOf } from "../authorise.ts";
import { errorResponses, IdParams } from "../schemas.ts";

export interface ClipRouteParts {
  readonly clips: Clips;
  readonly commands: AgentCommands;
}

const Binary = Type.Unsafe<Readable>({ type: "string", format: "binary" });
const Media = {
  content: { "video/mp4": { schema: Binary }, "application/octet-stream": { schema: Binary } },
};

/** Recordings at the agents, and clips of them. */
export function addClipRoutes(app: App, { clips, commands }: ClipRouteParts): void {
  const tags = ["clips"];
  app.post(
    "/api/v1/cameras/:id/clips",
    {
      schema: {
        tags,
        summary: "Ask for a clip of the recording at the camera's site; names the purpose",
        params: IdParams,
        body: ClipRequest,
        response: { 201: ClipSchema, ...errorResponses },
      },
    },
    async (request, reply) =>
      reply.code(201).send(await clips.request(request.params.id, request.body, sessionOf(request).user)),
  );
  app.get(
    "/api/v1/cameras/:id/clips",
    {
      schema: {
        tags,
        summary: "Clips of a camera, newest first",
        params: IdParams,
        response: { 200: ClipList, ...errorResponses },
      },
    },
    async ({ params }) => ({ clips: await clips.ofCamera(params.id) }),
  );
  app.get(
    "/api/v1/cameras/:id/recordings",
    {
      schema: {
        tags,
        summary: "What is recorded at the camera's site in a time range, with its gaps",
        params: IdParams,
        querystring: RecordingsQuery,
        response: { 200: RecordingListSchema, ...errorResponses },
      },
    },
    async (request) => {
      const cameraId = request.params.id;
      const { fromMs, toMs, profile = "main" } = request.query;
      const body = { kind: "recordings", cameraId, profile, fromMs, toMs } as const;
      const by = sessionOf(request).user.userName;
      return (await commands.sendToCamera(cameraId, body, { by })) as unknown as RecordingList;
    },
  );
  addOneClip(app, clips);
}

function addOneClip(app: App, clips: Clips): void {
  const tags = ["clips"];
  app.get(
    "/api/v1/clips/:id",
    {
      schema: {
        tags,
        summary: "One clip",
        params: IdParams,
        response: { 200: ClipSchema, ...errorResponses },
      },
    },
    ({ params }) => clips.get(params.id),
  );
  app.get(
    "/api/v1/clips/:id/manifest",
    {
      schema: {
        tags,
        summary: "What the agent signed: ranges, gaps, hashes",
        params: IdParams,
        response: { 200: SignedTextSchema, ...errorResponses },
      },
    },
    ({ params }) => clips.manifest(params.id),
  );
  app.get(
    "/api/v1/clips/:id/media",
    {
      schema: {
        tags,
        summary: "The pictures: `.mp4`, or (`format=raw`) the camera's own bitstream",
        params: IdParams,
        querystring: ClipMediaQuery,
        response: { 200: Media, ...errorResponses },
      },
    },
    async (request, reply) => {
      const { format = "mp4" } = request.query;
      const media = await clips.media(request.params.id, format, sessionOf(request).user);
      void reply.type(media.type).header("content-disposition", `attachment; filename="${media.name}"`);
      return reply.send(Readable.from(media.bytes));
    },
  );
}

import { CommandResult, ImagingRequest, PtzMoveSchema } from "@huishi/contracts";
import type { FastifyRequest } from "fastify";
import type { AgentCommands, SendOptions } from "../../../application/agent-commands.ts";
import type { App } from "../app-type.ts";
import { sessionOf } from "../authorise.ts";
import { errorResponses, IdParams } from "../schemas.ts";

/** A movement that begins late is one that nobody sees any more. */
const STEER_VALID_MS = 3_000;
/** Slow cameras answer after seconds. */
const STEER_WAIT_MS = 12_000;

/** Steering a camera through its agent. */
export function addControlRoutes(app: App, commands: AgentCommands): void {
  const tags = ["cameras"];
  app.post(
    "/api/v1/cameras/:id/ptz",
    {
      schema: {
        tags,
        summary: "Turn a camera, or its presets; answers what the camera says",
        params: IdParams,
        body: PtzMoveSchema,
        response: { 200: CommandResult, ...errorResponses },
      },
    },
    async (request) => {
      const { id: cameraId } = request.params;
      const body = { kind: "ptz", cameraId, move: request.body } as const;
      return { result: await commands.sendToCamera(cameraId, body, steering(request)) };
    },
  );
  app.post(
    "/api/v1/cameras/:id/imaging",
    {
      schema: {
        tags,
        summary: "Set a camera's picture, or (without `set`) read its settings",
        params: IdParams,
        body: ImagingRequest,
        response: { 200: CommandResult, ...errorResponses },
      },
    },
    async (request) => {
      const { id: cameraId } = request.params;
      const body = { kind: "imaging", cameraId, ...request.body } as const;
      return { result: await commands.sendToCamera(cameraId, body, steering(request)) };
    },
  );
}

function steering(request: FastifyRequest): SendOptions {
  return { validMs: STEER_VALID_MS, waitMs: STEER_WAIT_MS, by: sessionOf(request).user.userName };
}

import { HuishiError } from "@huishi/kernel";
import type { PartHealth } from "@huishi/platform";
import { Type } from "typebox";
import type { App } from "../app-type.ts";
import { errorResponses } from "../schemas.ts";

export interface OperationRouteParts {
  /** Looks at the event loop and nothing else: a database that is away is no reason to start this process anew. */
  readonly loop: () => { readonly live: boolean; readonly maxDelayMs: number };
  readonly health: () => readonly PartHealth[] | Promise<readonly PartHealth[]>;
  /** Prometheus text exposition. */
  readonly metrics: () => Promise<{ contentType: string; text: string }>;
}

const Live = Type.Object({ live: Type.Boolean(), maxDelayMs: Type.Integer() });
const Ready = Type.Object({
  ready: Type.Boolean(),
  parts: Type.Array(
    Type.Object({ name: Type.String(), ok: Type.Boolean(), detail: Type.Optional(Type.String()) }),
  ),
});
const Exposition = { content: { "text/plain": { schema: Type.String() } } };

/** What supervisors, load balancers and scrapers ask. */
export function addOperationRoutes(app: App, parts: OperationRouteParts): void {
  const tags = ["operation"];
  app.get(
    "/livez",
    {
      schema: {
        tags,
        summary: "The event loop turns (503 when it stood still for seconds); looks at nothing else",
        response: { 200: Live, 503: Live, ...errorResponses },
      },
    },
    async (_request, reply) => {
      const seen = parts.loop();
      return reply.code(seen.live ? 200 : 503).send(seen);
    },
  );
  app.get(
    "/readyz",
    {
      schema: {
        tags,
        summary: "Everything that is needed works (503 when not)",
        response: { 200: Ready, 503: Ready, ...errorResponses },
      },
    },
    async (_request, reply) => {
      const states = [...(await parts.health())];
      const ready = states.every((part) => part.ok);
      return reply.code(ready ? 200 : 503).send({ ready, parts: states });
    },
  );
  app.get(
    "/metrics",
    {
      schema: {
        tags,
        summary: "Prometheus metrics, for the machine itself and administrators",
        response: { 200: Exposition, ...errorResponses },
      },
    },
    async (_request, reply) => {
      const { contentType, text } = await parts.metrics();
      return reply.type(contentType).send(text);
    },
  );
  app.get(
    "/api/v1/openapi.json",
    {
      schema: {
        tags,
        summary: "This document",
        response: { 200: Type.Unsafe<object>({ type: "object" }), ...errorResponses },
      },
    },
    () => Promise.resolve(app.swagger() as object),
  );
  app.get(
    "/api/v1/socket",
    {
      schema: {
        tags,
        summary: "The WebSocket; docs/asyncapi.json describes its messages",
        response: { 101: Type.Null({ description: "Switching protocols" }), ...errorResponses },
      },
    },
    () => {
      throw new HuishiError("UPGRADE_REQUIRED", "This address is a WebSocket; connect with one.");
    },
  );
}

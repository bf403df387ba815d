import { HuishiError, messageOf } from "@huishi/kernel";
import { Type } from "typebox";
import type { App } from "../app-type.ts";
import { errorResponses } from "../schemas.ts";

/** One part of the installation and whether it works. */
export interface PartHealth {
  readonly name: string;
  readonly ok: boolean;
  readonly detail?: string;
}

export interface OperationRouteParts {
  /** Throws when the database does not answer. */
  readonly checkDatabase: () => Promise<void>;
  readonly health: () => readonly PartHealth[] | Promise<readonly PartHealth[]>;
  /** Prometheus text exposition. */
  readonly metrics: () => Promise<{ contentType: string; text: string }>;
}

const Live = Type.Object({ live: Type.Literal(true) });
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
    { schema: { tags, summary: "The process answers", response: { 200: Live, ...errorResponses } } },
    () => Promise.resolve({ live: true as const }),
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
      const states = [await checkDatabase(parts), ...(await parts.health())];
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

async function checkDatabase(parts: OperationRouteParts): Promise<PartHealth> {
  try {
    await parts.checkDatabase();
    return { name: "database", ok: true };
  } catch (err) {
    return { name: "database", ok: false, detail: (err as { code?: string }).code ?? messageOf(err) };
  }
}

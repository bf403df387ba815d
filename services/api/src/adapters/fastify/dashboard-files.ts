import fastifyStatic from "@fastify/static";
import { HuishiError } from "@huishi/kernel";
import type { FastifyReply, FastifyRequest } from "fastify";
import { existsSync } from "node:fs";
import { join, sep } from "node:path";
import type { App } from "./app-type.ts";

/**
 * Serves the built dashboard. Vite puts a digest into the names below `assets/`: those never change; everything
 * else is asked for anew. An unknown address without a file ending is a page of the dashboard: index.html.
 */
export async function serveDashboard(app: App, dashboardDir: string): Promise<void> {
  if (!existsSync(join(dashboardDir, "index.html"))) {
    app.route({
      method: ["GET", "HEAD"],
      url: "/*",
      schema: { hide: true },
      handler: () => {
        throw new HuishiError(
          "DASHBOARD_MISSING",
          "The dashboard is not built; run `npm run build`, then restart.",
        );
      },
    });
    return;
  }
  await app.register(fastifyStatic, {
    root: dashboardDir,
    cacheControl: false,
    dotfiles: "ignore",
    schemaHide: true,
    setHeaders: (response, path) => {
      const isHashed = path.includes(`${sep}assets${sep}`);
      response.setHeader("cache-control", isHashed ? "public, max-age=31536000, immutable" : "no-cache");
    },
  });
}

/** Answers what no route and no file matches. */
export function answerNotFound(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const path = request.url.split("?", 1)[0] ?? "";
  const isPage = !path.startsWith("/api/") && !/\.[a-z0-9]+$/i.test(path);
  if (
    isPage &&
    (request.method === "GET" || request.method === "HEAD") &&
    typeof reply.sendFile === "function"
  ) {
    return reply.sendFile("index.html");
  }
  throw new HuishiError(
    "ROUTE_NOT_FOUND",
    "There is nothing at this address; docs/openapi.json lists what there is.",
  );
}

import type { SwaggerOptions } from "@fastify/swagger";
import { nameComponents } from "./openapi-components.ts";
import { ROUTE_RIGHTS } from "./route-rights.ts";

const DESCRIPTION = [
  "Video perception of a city: cameras, zones, rules and alarms.",
  "Sign in to get the session cookie; requests that change something have to come from the same origin.",
  "Errors carry a stable code (docs/errors.md). The WebSocket and MQTT are described in docs/asyncapi.json.",
].join(" ");

/** How the OpenAPI 3.1 document is made from the routes' schemas and the table of rights. */
export function openApiOptions(version: string): SwaggerOptions {
  return {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Huishi",
        version,
        description: DESCRIPTION,
        license: { name: "Apache-2.0", identifier: "Apache-2.0" },
      },
      components: { securitySchemes: { session: { type: "apiKey", in: "cookie", name: "huishi" } } },
    },
    refResolver: {
      buildLocalReference: (json, _base, _fragment, index) =>
        typeof json.$id === "string" ? json.$id : `def-${index}`,
    },
    transformObject: (document) =>
      nameComponents("openapiObject" in document ? document.openapiObject : document.swaggerObject),
    transform: ({ schema, url, route }) => {
      const requirement = ROUTE_RIGHTS[`${[route.method].flat()[0]} ${url}`] ?? "public";
      if (requirement === "public") return { schema: { ...schema, security: [] }, url };
      return { schema: { ...schema, security: [{ session: [] }], "x-requires": requirement }, url };
    },
  };
}

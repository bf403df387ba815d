import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { ROUTE_RIGHTS } from "../adapters/fastify/route-rights.ts";
import { generateDocuments, REPOSITORY_ROOT } from "./documents.ts";

interface OpenApi {
  paths: Record<string, Record<string, { security: object[]; responses: object; operationId?: string }>>;
}

describe("the committed documents", () => {
  it("are what the schemas make now (else: npm run documents -w @huishi/api)", async () => {
    for (const [path, text] of await generateDocuments()) {
      const committed = await readFile(new URL(path, REPOSITORY_ROOT), "utf8");
      expect(JSON.parse(committed), path).toEqual(JSON.parse(text));
    }
  });

  it("hold every route of the table of rights", async () => {
    const openApi = JSON.parse((await generateDocuments()).get("docs/openapi.json") as string) as OpenApi;
    const documented = Object.entries(openApi.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ":$1")}`),
    );
    const expected = Object.keys(ROUTE_RIGHTS).filter((key) => !key.endsWith("/*"));
    expect(documented.sort((a, b) => a.localeCompare(b))).toEqual(
      expected.sort((a, b) => a.localeCompare(b)),
    );
  });
});

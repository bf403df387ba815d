import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { dropStaleIdentity } from "./stale-identity.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "huishi-identity-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const databaseThatKnows = (...ids: string[]) => ({
  query: async (_sql: string, values?: unknown[]) => ({
    rows: ids.includes(values?.[0] as string) ? [{}] : [],
  }),
});

it.each([
  ["keeps an identity that the database knows", "box-1", true],
  ["drops an identity of another database", "box-2", false],
])("%s", async (_what, agentId, isKept) => {
  const file = join(folder, "identity.json");
  await writeFile(file, JSON.stringify({ agentId, secret: "s" }));
  await dropStaleIdentity(databaseThatKnows("box-1"), folder);
  expect(existsSync(file)).toBe(isKept);
});

it("does nothing before the first start", async () => {
  await expect(dropStaleIdentity(databaseThatKnows(), folder)).resolves.toBeUndefined();
});

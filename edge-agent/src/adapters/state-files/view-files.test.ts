import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ViewFiles } from "./view-files.ts";

let folder: string;
let views: ViewFiles;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "huishi-views-"));
  views = new ViewFiles(folder);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const view = (slot: number, savedAtMs = 1_000) => ({ slot, savedAtMs, bytes: new Uint8Array([1, 2, slot]) });

test("keeps one view a slot and camera, for their owner's eyes only", async () => {
  await views.save("gate", view(1));
  await views.save("gate", view(1, 2_000));
  await views.save("gate", view(7));
  await views.save("gate-2", view(3));
  const kept = (await views.load("gate")).toSorted((a, b) => a.slot - b.slot);
  expect(kept.map(({ slot, savedAtMs }) => [slot, savedAtMs])).toEqual([
    [1, 2_000],
    [7, 1_000],
  ]);
  expect([...(kept[0]?.bytes ?? [])]).toEqual([1, 2, 1]);
  expect((await stat(join(folder, "views", "gate.1.view"))).mode & 0o777).toBe(0o600);
  await views.forget("gate");
  expect(await views.load("gate")).toEqual([]);
  expect(await views.load("gate-2")).toHaveLength(1);
});

test("a damaged view is none, and no name leads out of the folder", async () => {
  await views.save("gate", view(1));
  const file = join(folder, "views", "gate.1.view");
  const content = await readFile(file);
  content[13] = 99;
  await writeFile(file, content);
  expect(await views.load("gate")).toEqual([]);
  await expect(views.save("../gate", view(1))).rejects.toThrow(TypeError);
  expect(await views.load("nobody")).toEqual([]);
});

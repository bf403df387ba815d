import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chooseFootage } from "./footage.ts";
import type { StandaloneOptions } from "./options.ts";

describe("chooseFootage", () => {
  let folder: string;
  const options = (videos: string[], cameras: StandaloneOptions["cameras"] = []): StandaloneOptions => ({
    stateDir: folder,
    httpPort: 0,
    mqttPort: 0,
    videos,
    cameras,
    generatedScene: false,
    databaseUrl: null,
  });
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "huishi-footage-"));
    await writeFile(join(folder, "gate north.mp4"), "x");
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("gives one file played twice two cameras, each the same again at the next start", async () => {
    const file = join(folder, "gate north.mp4");
    const first = await chooseFootage(options([file, file]), folder, () => {});
    expect(first.cameras.map((camera) => camera.name)).toEqual(["gate north", "gate north (2)"]);
    expect(new Set(first.cameras.map((camera) => camera.serial)).size).toBe(2);
    expect(await chooseFootage(options([file, file]), folder, () => {})).toEqual(first);
  });

  it("goes on without a file that is missing, and says which", async () => {
    const { cameras, remarks } = await chooseFootage(
      options([join(folder, "none.mp4"), join(folder, "gate north.mp4")]),
      folder,
      () => {},
    );
    expect(cameras).toHaveLength(1);
    expect(remarks).toEqual([
      `VIDEO_UNREADABLE: ${join(folder, "none.mp4")} does not exist; check the path.`,
    ]);
  });

  it("refuses to start when no video can be played", async () => {
    await expect(chooseFootage(options([folder]), folder, () => {})).rejects.toMatchObject({
      code: "VIDEO_UNREADABLE",
    });
  });

  it("plays nothing beside a real camera", async () => {
    expect(await chooseFootage(options([], [{ rtspUrl: "rtsp://192.0.2.1/a" }]), folder, () => {})).toEqual({
      cameras: [],
      remarks: [],
    });
  });
});

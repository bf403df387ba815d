import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openStateFolder } from "./state-folder.ts";

describe("openStateFolder", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "huishi-state-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it("holds a lock until it is released", async () => {
    const state = await openStateFolder(join(folder, "var"));
    expect((await readFile(join(folder, "var/huishi.pid"), "utf8")).trim()).toBe(String(process.pid));
    await state.release();
    await expect(readFile(join(folder, "var/huishi.pid"))).rejects.toThrow();
  });

  it("takes over the lock of a process that is gone", async () => {
    await writeFile(join(folder, "huishi.pid"), "999999999\n");
    const state = await openStateFolder(folder);
    expect((await readFile(join(folder, "huishi.pid"), "utf8")).trim()).toBe(String(process.pid));
    await state.release();
  });

  it("refuses a folder that a running Huishi holds", async () => {
    await writeFile(join(folder, "huishi.pid"), `${process.ppid}\n`);
    const commandLine = await readFile(`/proc/${process.ppid}/cmdline`, "utf8");
    expect(commandLine).toContain("node");
    await expect(openStateFolder(folder)).rejects.toMatchObject({ code: "STATE_IN_USE" });
  });

  it("refuses a path that cannot be a folder", async () => {
    await writeFile(join(folder, "file"), "");
    await expect(openStateFolder(join(folder, "file"))).rejects.toMatchObject({ code: "STATE_UNWRITABLE" });
  });
});

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { EDGE_FAULTS, EdgeError } from "./faults.ts";

test("every code is explained in docs/errors.md", () => {
  const page = readFileSync(new URL("../../../docs/errors.md", import.meta.url), "utf8");
  expect(Object.keys(EDGE_FAULTS).filter((code) => !page.includes(`\`${code}\``))).toEqual([]);
});

test("a fault says what happened and what to do", () => {
  const fault = new EdgeError("FFMPEG_MISSING", "ffmpeg cannot be started");
  expect(fault.message).toBe("ffmpeg cannot be started: install ffmpeg (Debian: apt-get install ffmpeg)");
});

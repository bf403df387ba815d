import { expect, it } from "vitest";
import { reportCameras } from "./camera-report.ts";

it("prints a line for each change of a camera's condition, and goes on when the database is away", async () => {
  const stop = new AbortController();
  const gate = { id: "gate", name: "Gate", condition: "unreachable", condition_code: "CAMERA_UNREACHABLE" };
  const answers = [
    () => ({ rows: [gate] }),
    () => {
      throw new Error("the database is away");
    },
    () => ({ rows: [gate] }),
    () => ({ rows: [{ ...gate, condition: "online", condition_code: null }] }),
  ];
  const lines: string[] = [];
  const database = {
    query: async () => {
      const answer = answers.shift();
      if (answers.length === 0) stop.abort(new Error("enough"));
      return answer?.() ?? { rows: [] };
    },
  };
  await reportCameras(database, (line) => lines.push(line), stop.signal);
  expect(lines).toEqual([
    "  ! Camera Gate cannot be reached; check its power, network and address. It is tried again by itself (CAMERA_UNREACHABLE)",
    "    Camera Gate is there",
  ]);
});

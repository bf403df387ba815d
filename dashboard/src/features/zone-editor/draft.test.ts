import { describe, expect, it } from "vitest";
import { type Draft, type DraftAction, draftFault, draftOf, newDraft, reduceDraft } from "./draft.ts";

const run = (draft: Draft, ...actions: DraftAction[]): Draft => actions.reduce(reduceDraft, draft);
const add = (x: number, y: number): DraftAction => ({ type: "add", point: { x, y } });
const triangle = run(newDraft("polygon", "Zone 1"), add(0.1, 0.1), add(0.9, 0.1), add(0.5, 0.9), {
  type: "close",
});

describe("drawing", () => {
  it("closes a polygon from three corners on, and not before", () => {
    const two = run(newDraft("polygon", "z"), add(0, 0), add(1, 1), { type: "close" });
    expect(two.isClosed).toBe(false);
    expect(draftFault(two)).toBe("needThree");
    expect(triangle.isClosed).toBe(true);
    expect(draftFault(triangle)).toBeNull();
  });

  it("closes a line with its second end", () => {
    const line = run(newDraft("line", "l"), add(0.2, 0.5), add(0.8, 0.5), add(0.5, 0.1));
    expect(line.isClosed).toBe(true);
    expect(line.points).toHaveLength(2);
    expect(run(line, { type: "flip" }).points[0]).toEqual({ x: 0.8, y: 0.5 });
  });

  it("takes the last corner back while drawing only", () => {
    expect(run(newDraft("polygon", "z"), add(0, 0), add(1, 0), { type: "removeLast" }).points).toEqual([
      { x: 0, y: 0 },
    ]);
    expect(run(triangle, { type: "removeLast" }).points).toHaveLength(3);
  });

  it("keeps corners inside the picture", () => {
    expect(run(triangle, { type: "move", index: 0, point: { x: -3, y: 7 } }).points[0]).toEqual({
      x: 0,
      y: 1,
    });
  });

  it("sees edges that cross", () => {
    expect(draftFault(run(newDraft("polygon", "z"), add(0, 0), add(1, 1), add(1, 0), add(0, 1)))).toBe(
      "selfCrossing",
    );
  });

  it("never falls below three corners nor above 32", () => {
    expect(run(triangle, { type: "removeCorner", index: 0 }).points).toHaveLength(3);
    const many = Array.from({ length: 40 }, (_, i) => add(i / 40, 0));
    expect(run(newDraft("polygon", "z"), ...many).points).toHaveLength(32);
  });

  it("starts from a zone that is there", () => {
    const zone = {
      id: "z1",
      cameraId: "c",
      name: "Gate",
      kind: "polygon",
      points: triangle.points.slice(),
      version: 4,
    } as const;
    expect(draftOf(zone)).toMatchObject({ zone: { id: "z1", version: 4 }, isClosed: true, name: "Gate" });
  });
});

import { describe, expect, it } from "vitest";
import { parsePreferences, writePreferences } from "./preferences.ts";
import { parseRoute, routeHash } from "./route.ts";

describe("parseRoute", () => {
  it("reads the one-time link", () => {
    expect(parseRoute("#/setup?token=abc%2Bdef")).toEqual({ page: "setup", token: "abc+def" });
    expect(parseRoute("#/setup")).toEqual({ page: "setup", token: "" });
  });

  it("goes to a camera's zones and back", () => {
    const route = { page: "zones", cameraId: "edge-1.cam é" } as const;
    expect(parseRoute(routeHash(route))).toEqual(route);
  });

  it.each([
    { page: "statistics", choice: "" },
    { page: "statistics", choice: "camera=a%20b&range=7d" },
    { page: "system" },
  ] as const)("goes to %j and back", (route) => expect(parseRoute(routeHash(route))).toEqual(route));

  it.each(["", "#", "#/", "#/zones/", "#/zones/%E0%A4%A", "#/moon", "javascript:alert(1)"])(
    "takes %j as the wall",
    (hash) => expect(parseRoute(hash)).toEqual({ page: "wall" }),
  );
});

describe("preferences", () => {
  it("come back as they were kept", () => {
    const kept = { layout: 9, pinned: new Map([[2, "cam-a"]]), sound: false } as const;
    expect(parsePreferences(writePreferences(kept))).toEqual(kept);
  });

  it.each([null, "", "{", "[]", '{"layout":5,"pinned":[1,["a"],[0,7]]}'])("start anew from %j", (text) =>
    expect(parsePreferences(text)).toEqual({ layout: null, pinned: new Map(), sound: true }),
  );
});

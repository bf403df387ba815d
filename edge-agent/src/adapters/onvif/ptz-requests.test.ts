import { expect, test } from "vitest";
import { ptzRequests, readPresets, readStatus } from "./ptz-requests.ts";

test("an absolute move of one axis leaves the other where it is", () => {
  const [request] = ptzRequests({ kind: "absolute", pan: 0.5 }, "p", { present: { pan: 0.1, tilt: -0.3 } });
  expect(request).toContain('<PanTilt x="0.5" y="-0.3"');
  expect(request).not.toContain("<Zoom");
});

test("zoom of 0 is sent, and pan and zoom apart where the camera wants it", () => {
  expect(ptzRequests({ kind: "absolute", zoom: 0 }, "p")[0]).toContain('<Zoom x="0"');
  const move = { kind: "continuous", pan: 1, zoom: 0.5, timeoutMs: 1_500 } as const;
  expect(ptzRequests(move, "p")).toHaveLength(1);
  const split = ptzRequests(move, "p", { quirks: { splitsMoves: true } });
  expect(split.map((r) => [r.includes("<PanTilt"), r.includes("<Zoom"), r.includes("PT1.5S")])).toEqual([
    [true, false, true],
    [false, true, true],
  ]);
});

test("names and tokens cannot leave their element", () => {
  const [request] = ptzRequests({ kind: "set_preset", name: "</PresetName><x/>", preset: '"&' }, "<p>");
  expect(request).toContain("&lt;/PresetName&gt;&lt;x/&gt;");
  expect(request).toContain("<ProfileToken>&lt;p&gt;</ProfileToken>");
});

test("presets keep tokens as text", () => {
  const xml =
    '<a:Preset token="1.0"><Name>Gate &amp; yard</Name></a:Preset><Preset b="1" token=\'002\'/><Preset>x</Preset>';
  expect(readPresets(xml)).toEqual([
    { token: "1.0", name: "Gate & yard" },
    { token: "002", name: "" },
  ]);
});

test("status is read as far as it is there", () => {
  expect(readStatus('<t:PanTilt x="0.1" y="-1"/><t:Zoom x="0"/><t:PanTilt>MOVING</t:PanTilt>')).toEqual({
    pan: 0.1,
    tilt: -1,
    zoom: 0,
    isMoving: true,
  });
  expect(readStatus("<garbage>")).toEqual({});
});

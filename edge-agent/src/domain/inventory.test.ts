import { CameraInventoryEvent } from "@huishi/contracts";
import fc from "fast-check";
import { Compile } from "typebox/compile";
import { describe, expect, test } from "vitest";
import { inventoryEvent } from "./inventory.ts";

const description = { address: "192.0.2.7:80", streams: [], ptz: false, hasMotionEvents: false };
const eventOf = (more: object, camera: object = {}) =>
  inventoryEvent({
    cameraId: "north",
    description: { ...description, ...more },
    streams: [],
    capturedAtMs: 1,
    ...camera,
  });

describe("a device record as an event", () => {
  test.each([
    ["02-1A-00-00-00-0F", "02:1a:00:00:00:0f"],
    ["021a0000000f", "02:1a:00:00:00:0f"],
    ["02:1a:00:00:00:0f", "02:1a:00:00:00:0f"],
    ["  ", undefined],
    ["eth0", "eth0"],
    [undefined, undefined],
  ])("tells the hardware address %j as %j", (hardwareAddress, told) => {
    expect(eventOf({ hardwareAddress }).hardwareAddress).toBe(told);
  });

  test("tells where discovery found the camera, and what the camera says it can do", () => {
    expect(eventOf({ capabilities: ["imaging"] }, { endpoint: "urn:uuid:1" })).toMatchObject({
      endpoint: "urn:uuid:1",
      capabilities: ["imaging"],
    });
  });

  test("fits the contract whatever the device says of itself", () => {
    const fits = Compile(CameraInventoryEvent);
    const text = fc.option(fc.string({ unit: "binary", maxLength: 300 }), { nil: undefined });
    const texts = { name: text, model: text, serial: text, firmware: text, hardwareAddress: text };
    fc.assert(
      fc.property(fc.record(texts), text, (device, endpoint) => {
        const event = { ...eventOf(device, { endpoint }), seq: 0, agentAtMs: 1 };
        expect(fits.Check(JSON.parse(JSON.stringify(event)))).toBe(true);
      }),
    );
  });
});

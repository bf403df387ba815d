import { isId } from "@huishi/kernel";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CameraRegistry, proposeCameraId } from "./camera-id.ts";

describe("camera ids", () => {
  test("come from maker and serial number, else hardware address, endpoint, address", () => {
    const all = {
      manufacturer: "Acme",
      serial: "DS-2CD 0042/A",
      hardwareAddress: "02:00:AB:cd:ef:01",
      endpoint: "urn:uuid:11-22",
      address: "10.0.0.7:80",
    };
    expect(proposeCameraId(all)).toBe("acme-ds-2cd-0042-a");
    expect(proposeCameraId({ ...all, serial: "000000" })).toBe("camera-0200abcdef01");
    expect(proposeCameraId({ endpoint: "urn:uuid:ab-22" })).toBe("camera-ab-22");
    expect(proposeCameraId({ address: "10.0.0.7:554/main" })).toBe("camera-10-0-0-7-554-main");
  });

  test("are valid whatever a device says of itself", () => {
    fc.assert(
      fc.property(
        fc.record({ manufacturer: fc.string(), serial: fc.string(), address: fc.string() }),
        (traits) => {
          expect(isId(proposeCameraId(traits))).toBe(true);
        },
      ),
    );
  });

  test("stay with the camera when its address changes, and over a restart", () => {
    const registry = new CameraRegistry();
    const { id } = registry.assign({ serial: "S-77", address: "10.0.0.7:80" });
    const restarted = new CameraRegistry(registry.toJSON());
    expect(restarted.assign({ serial: "S-77", address: "10.0.0.99:80" }).id).toBe(id);
  });

  test("given before the camera was ever reached stay when its serial number becomes known", () => {
    const registry = new CameraRegistry();
    const { id } = registry.assign({ address: "10.0.0.7:80" });
    expect(registry.assign({ serial: "S-77", address: "10.0.0.7:80" })).toEqual({ id, changed: true });
    expect(registry.find({ serial: "S-77" })).toBe(id);
  });

  test("are not shared by two cameras whose traits make the same name", () => {
    const registry = new CameraRegistry();
    expect(registry.assign({ serial: "a b c" }).id).toBe("a-b-c");
    expect(registry.assign({ serial: "a.b.c" }).id).toBe("a-b-c-2");
  });

  test("that a person configured win", () => {
    expect(new CameraRegistry().assign({ serial: "S-77" }, "north-gate").id).toBe("north-gate");
  });

  test("another device under a camera's former address is another camera", () => {
    const registry = new CameraRegistry();
    const first = { serial: "SN-0001", address: "10.0.0.5" };
    const { id } = registry.assign(first);
    expect(registry.assign({ serial: "SN-0002", address: "10.0.0.5" }).id).not.toBe(id);
    expect(registry.assign({ ...first, address: "10.0.0.9" }).id).toBe(id);
  });

  test("a camera that was known by its address alone keeps its id when it is read", () => {
    const registry = new CameraRegistry();
    const { id } = registry.assign({ address: "10.0.0.5" });
    expect(registry.assign({ serial: "SN-0001", address: "10.0.0.5" }).id).toBe(id);
  });
});

import { describe, expect, test } from "vitest";
import { CameraHealth } from "./camera-health.ts";

describe("CameraHealth", () => {
  test("tells each change once", () => {
    const health = new CameraHealth();
    expect(health.answered()).toEqual({ condition: "online", code: null, faults: null });
    expect(health.answered()).toBeNull();
  });

  test("one missed check is none, two make a camera unreachable", () => {
    const health = new CameraHealth();
    health.answered();
    expect(health.missed("CAMERA_UNREACHABLE")).toBeNull();
    expect(health.missed("CAMERA_UNREACHABLE")).toEqual({
      condition: "unreachable",
      code: "CAMERA_UNREACHABLE",
      faults: null,
    });
    expect(health.answered()).toEqual({ condition: "online", code: null, faults: null });
  });

  test("a refused password outweighs answers that need none, until a sign-in works", () => {
    const health = new CameraHealth();
    expect(health.refusedSignIn("CAMERA_AUTH_FAILED")?.condition).toBe("auth_failed");
    expect(health.missed("CAMERA_UNREACHABLE")).toBeNull();
    expect(health.answered()?.condition).toBe("online");
  });

  test("a wanted stream without pictures is no_frames while the camera answers", () => {
    const health = new CameraHealth();
    health.answered();
    expect(health.framesStopped("a", "RTSP_NO_FRAMES")).toEqual({
      condition: "no_frames",
      code: "RTSP_NO_FRAMES",
      faults: null,
    });
    expect(health.answered()).toBeNull();
    expect(health.framesFlow("a")?.condition).toBe("online");
    health.framesStopped("a", "RTSP_NO_FRAMES");
    expect(health.streamEnded("a")?.condition).toBe("online");
  });

  test("one stream that flows keeps the camera online", () => {
    const health = new CameraHealth();
    health.framesFlow("a");
    expect(health.framesStopped("b", "RTSP_NO_FRAMES")).toBeNull();
  });

  test("a fault degrades a camera whose pictures come, is told once, and yields to what is worse", () => {
    const health = new CameraHealth();
    health.framesFlow("a");
    const blurred = [{ fault: "blurred" as const, sinceMs: 5 }];
    expect(health.found("picture", blurred)).toEqual({ condition: "degraded", code: null, faults: blurred });
    expect(health.found("picture", blurred)).toBeNull();
    expect(health.found("clock", [{ fault: "clock_drift", sinceMs: 9 }])?.faults).toHaveLength(2);
    expect(health.framesStopped("a", "RTSP_NO_FRAMES")?.condition).toBe("no_frames");
    expect(health.framesFlow("a")?.condition).toBe("degraded");
    health.found("clock", []);
    expect(health.found("picture", [])).toEqual({ condition: "online", code: null, faults: [] });
  });
});

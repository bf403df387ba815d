import { describe, expect, it } from "vitest";
import { parseOptions } from "./options.ts";

describe("parseOptions", () => {
  it("plays the demo on the default ports without options", () => {
    expect(parseOptions([], {}, "/srv/huishi")).toEqual({
      stateDir: "/srv/huishi/var",
      httpPort: 8080,
      mqttPort: null,
      videos: [],
      cameras: [],
      generatedScene: false,
      databaseUrl: null,
    });
  });

  it("takes several files after one --video", () => {
    expect(parseOptions(["--video", "a.mp4", "b.avi"], {}, "/x").videos).toEqual(["/x/a.mp4", "/x/b.avi"]);
  });

  it("takes the account out of a camera's address", () => {
    expect(parseOptions(["--camera", "rtsp://me:p%40ss@192.0.2.7/one"], {}, "/x").cameras).toEqual([
      { rtspUrl: "rtsp://192.0.2.7/one", username: "me", password: "p@ss" },
    ]);
  });

  it("takes the account from the environment when the address has none", () => {
    const env = { HUISHI_CAMERA_USER: "me", HUISHI_CAMERA_PASSWORD: "secret" };
    expect(parseOptions(["--camera", "rtsp://192.0.2.7/one"], env, "/x").cameras[0]).toMatchObject({
      username: "me",
      password: "secret",
    });
  });

  it.each([
    [["--port", "0"], /--port must be a port number/],
    [["--mqtt-port", "x"], /--mqtt-port must be a port number/],
    [["--camera", "http://192.0.2.7/"], /--camera must be an address like rtsp/],
    [["clip.mp4"], /To play a video file write: --video clip.mp4/],
    [["--nonsense"], /--nonsense/],
  ])("refuses %j with what to do", (args, message) => {
    expect(() => parseOptions(args, {}, "/x")).toThrowError(message);
  });
});

import { describe, expect, it } from "vitest";
import { pictureAgeMs, type TileFacts, tileState } from "./tile-state.ts";

const NOW = 1_800_000_000_000;
const facts = (change: Partial<TileFacts> = {}): TileFacts => ({
  socket: "online",
  camera: { condition: "online", agentOnline: true },
  frame: { capturedAtMs: NOW - 150, presentedAtMs: NOW - 40 },
  nowMs: NOW,
  unsupportedCodec: null,
  refusedCode: null,
  ...change,
});
const frameOfAge = (ageMs: number): TileFacts["frame"] => ({
  capturedAtMs: NOW - ageMs,
  presentedAtMs: NOW - 10,
});

describe("tileState", () => {
  it("is live with a fresh picture", () => expect(tileState(facts())).toBe("live"));

  it("says delayed before it says stale", () => {
    expect(tileState(facts({ frame: frameOfAge(1_200) }))).toBe("live");
    expect(tileState(facts({ frame: frameOfAge(1_201) }))).toBe("delayed");
    expect(tileState(facts({ frame: frameOfAge(3_000) }))).toBe("delayed");
    expect(tileState(facts({ frame: frameOfAge(3_001) }))).toBe("stale");
  });

  it("goes stale when frames stop, though the camera's clock runs ahead", () => {
    const frame = { capturedAtMs: NOW + 60_000, presentedAtMs: NOW - 3_500 };
    expect(tileState(facts({ frame }))).toBe("stale");
    expect(pictureAgeMs(frame, NOW)).toBe(3_500);
  });

  it("is lost at once when the socket is lost, whatever is on the screen", () => {
    expect(tileState(facts({ socket: "lost" }))).toBe("socket_lost");
    expect(tileState(facts({ socket: "signedOut" }))).toBe("socket_lost");
  });

  it.each([
    ["offline", "camera_offline"],
    ["auth_failed", "auth_failed"],
    ["unreachable", "unreachable"],
    ["no_frames", "no_frames"],
  ] as const)("explains an old picture by the condition %s", (condition, state) => {
    const camera = { condition, agentOnline: true };
    expect(tileState(facts({ camera, frame: null }))).toBe(state);
    expect(tileState(facts({ camera, frame: frameOfAge(9_000) }))).toBe(state);
    expect(tileState(facts({ camera }))).toBe("live");
  });

  it("names the agent before the camera, because the camera's condition is then only the last one known", () => {
    const camera = { condition: "auth_failed", agentOnline: false } as const;
    expect(tileState(facts({ camera, frame: null }))).toBe("agent_offline");
  });

  it("waits for the first picture without claiming anything", () => {
    expect(tileState(facts({ frame: null }))).toBe("connecting");
    expect(tileState(facts({ camera: null }))).toBe("empty");
  });

  it("tells a codec that the browser cannot play and a refusal apart", () => {
    expect(tileState(facts({ frame: null, unsupportedCodec: "h265" }))).toBe("unsupported");
    expect(tileState(facts({ frame: null, refusedCode: "CAMERA_NOT_FOUND" }))).toBe("refused");
  });
});

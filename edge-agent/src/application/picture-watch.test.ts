import type { LumaPicture } from "@huishi/media";
import { describe, expect, test } from "vitest";
import { recordedLog } from "../test-support/recorded-log.ts";
import { type CameraFindings, FindingsBoard } from "./camera-findings.ts";
import { PictureWatch } from "./picture-watch.ts";
import type { StoredView, ViewStore } from "./picture-ports.ts";
import type { EventDraft, StreamConsumer } from "./ports.ts";

const black: LumaPicture = { width: 320, height: 180, pixels: new Uint8Array(320 * 180) };

/** Rectangles of many greys: a view with edges, another one for another seed. */
function viewOf(seed: number): LumaPicture {
  const pixels = new Uint8Array(320 * 180).fill(90);
  let state = seed;
  const next = (below: number): number => (state = (state * 16_807) % 2_147_483_647) % below;
  for (let i = 0; i < 60; i++) {
    const [x, y, w, h, grey] = [next(300), next(160), 8 + next(50), 8 + next(40), next(256)];
    for (let row = y; row < Math.min(180, y + h); row++)
      pixels.fill(grey, row * 320 + x, row * 320 + Math.min(320, x + w));
  }
  return { width: 320, height: 180, pixels };
}

class KeptViews implements ViewStore {
  views: StoredView[] = [];
  load() {
    return Promise.resolve(this.views);
  }
  save(_cameraId: string, view: StoredView) {
    this.views = [...this.views.filter(({ slot }) => slot !== view.slot), view];
    return Promise.resolve();
  }
  forget() {
    this.views = [];
    return Promise.resolve();
  }
}

function scene(
  options: {
    readonly picture?: () => LumaPicture;
    readonly views?: ViewStore;
    readonly isWatched?: boolean;
    readonly startMs?: number;
  } = {},
) {
  let nowMs = options.startMs ?? 1_000_000;
  let consumer: StreamConsumer | null = null;
  let unitNumber = 0;
  const events: EventDraft[] = [];
  const findings: CameraFindings[] = [];
  const board = new FindingsBoard();
  board.listen("cam", (found) => findings.push(found));
  const watch = new PictureWatch({
    decoder: { decode: async () => options.picture?.() ?? black, forget: () => undefined },
    board,
    recorder: { record: (event) => void events.push(event) },
    clock: { nowMs: () => nowMs },
    log: recordedLog(),
    isWatched: () => options.isWatched ?? true,
    ...(options.views ? { views: options.views } : {}),
    timings: { sampleMs: 5_000, silenceMs: 8_000, lookMs: 1 },
  });
  watch.tapReady({
    cameraId: "cam",
    attach: (_profile, purpose, attached) => {
      expect(purpose).toBe("health");
      consumer = attached;
      return () => (consumer = null);
    },
  });
  const flow = async (seconds: number, fps: number): Promise<void> => {
    for (let i = 0; i < seconds * fps; i++) {
      nowMs += 1_000 / fps;
      consumer?.onUnit({
        codec: "h264",
        annexB: new Uint8Array(1_000),
        keyframe: unitNumber % fps === 0,
        disposable: false,
        changed: false,
        ptsMs: nowMs,
        capturedAtMs: nowMs,
        unitNumber: unitNumber++,
      });
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return {
    watch,
    flow,
    events,
    findings,
    wait: (ms: number) => (nowMs += ms),
    isHeld: () => consumer !== null,
  };
}

describe("PictureWatch", () => {
  test("tells a black picture within a minute, and measures the stream", async () => {
    const { flow, events, findings } = scene();
    await flow(60, 10);
    expect(findings.at(-1)?.faults.map(({ fault }) => fault)).toEqual(["black"]);
    expect(events).toMatchObject([{ type: "camera_measure", cameraId: "cam", fps: 10, bitRate: 80_000 }]);
  });

  test("tells a collapsed frame rate once its usual level is known", async () => {
    const { flow, findings } = scene();
    await flow(90, 10);
    await flow(60, 2);
    expect(findings.at(-1)?.faults.map(({ fault }) => fault)).toContain("low_frame_rate");
  });

  test("a held stream without pictures does not flow, and lets go of it when the camera goes", async () => {
    const { watch, flow, findings, wait, isHeld } = scene();
    await flow(2, 10);
    expect(findings.at(-1)?.flowing).toBe(true);
    wait(8_500);
    const stop = new AbortController();
    const running = watch.run(stop.signal);
    await expect.poll(() => findings.at(-1)?.flowing).toBe(false);
    stop.abort();
    await running;
    expect(findings.at(-1)?.flowing).toBeNull();
    expect(isHeld()).toBe(false);
  });

  test("a view that was turned while the agent was away is told within a minute of its start", async () => {
    const views = new KeptViews();
    const noise = (seed: number) => {
      let n = 0;
      return (): LumaPicture => {
        const picture = viewOf(seed);
        // No two pictures of a live camera are the same.
        picture.pixels.fill((n += 40) % 256, 0, 320 * 12);
        return picture;
      };
    };
    const before = scene({ picture: noise(7), views });
    await before.flow(90, 5);
    expect(before.findings.at(-1)?.faults).toEqual([]);
    expect(views.views).toHaveLength(1);

    const same = scene({ picture: noise(7), views, startMs: 2_000_000 });
    await same.flow(60, 5);
    expect(same.findings.at(-1)?.faults).toEqual([]);
    const turned = scene({ picture: noise(8), views, startMs: 2_000_000 });
    await turned.flow(60, 5);
    expect(turned.findings.at(-1)?.faults.map(({ fault }) => fault)).toEqual(["moved_view"]);
    // A fault teaches nothing: what is kept is still the usual view.
    expect(views.views).toHaveLength(1);
  });

  test("who turns the camera on purpose, or switches the watch off, has the kept views forgotten", async () => {
    const views = new KeptViews();
    views.views = [{ slot: 0, savedAtMs: 0, bytes: new Uint8Array(3) }];
    const { watch } = scene({ views });
    watch.viewChanged("cam");
    await expect.poll(() => views.views).toEqual([]);
    views.views = [{ slot: 0, savedAtMs: 0, bytes: new Uint8Array(3) }];
    scene({ views, isWatched: false });
    await expect.poll(() => views.views).toEqual([]);
  });
});

/**
 * One live picture: a <video> with a canvas over it. Imperative, outside React's rendering: a tile of a wall
 * changes 25 times a second. React only mounts it and reads its state four times a second.
 */
import type { StreamProfile } from "@huishi/contracts";
import { drawOverlay, type OverlayStyle, type OverlayZone } from "../overlay/draw.ts";
import { pictureRect, type Rect, type Size } from "../overlay/letterbox.ts";
import type { SceneTimeline, ShownTrack } from "../overlay/scene-timeline.ts";
import type { LiveHub } from "./live-hub.ts";
import { MsePlayer } from "./mse-player.ts";

export interface LiveViewParts {
  readonly video: HTMLVideoElement;
  readonly canvas: HTMLCanvasElement;
  readonly hub: LiveHub;
  readonly timeline: SceneTimeline;
  readonly cameraId: string;
  readonly profile: StreamProfile;
  readonly style: OverlayStyle;
  readonly labelOf: (track: ShownTrack) => string;
  /** The picture's place in the element changed. */
  readonly onLayout?: (rect: Rect) => void;
}

/** What a live picture knows about itself. Times on the server's clock. */
export interface LiveViewFacts {
  readonly frame: { readonly capturedAtMs: number; readonly presentedAtMs: number } | null;
  readonly unsupportedCodec: string | null;
  readonly refusedCode: string | null;
  readonly waitingSinceMs: number;
}

export class LiveView {
  readonly cameraId: string;
  readonly #parts: LiveViewParts;
  readonly #player: MsePlayer;
  readonly #resizes: ResizeObserver;
  readonly #leave: () => void;
  #facts: LiveViewFacts;
  #zones: readonly OverlayZone[] = [];
  #drawnTracks = 0;
  #size: Size = { width: 0, height: 0 };
  #rect: Rect = { left: 0, top: 0, width: 0, height: 0 };

  constructor(parts: LiveViewParts) {
    this.#parts = parts;
    this.cameraId = parts.cameraId;
    this.#facts = {
      frame: null,
      unsupportedCodec: null,
      refusedCode: null,
      waitingSinceMs: parts.hub.serverNowMs(),
    };
    this.#player = new MsePlayer(parts.video, {
      presented: ({ capturedAtMs }) => {
        this.#facts = {
          ...this.#facts,
          frame: { capturedAtMs, presentedAtMs: parts.hub.serverNowMs() },
          unsupportedCodec: null,
          refusedCode: null,
        };
        this.#draw(false);
      },
      unsupported: (codec) => (this.#facts = { ...this.#facts, unsupportedCodec: codec }),
    });
    this.#resizes = new ResizeObserver(() => this.#layout());
    this.#resizes.observe(parts.canvas);
    parts.video.addEventListener("resize", this.#layout);
    this.#leave = parts.hub.watch(parts.cameraId, parts.profile, {
      segment: (segment) => this.#player.push(segment),
      dropped: (reason) => {
        if (reason === "codec_unsupported") this.#facts = { ...this.#facts, unsupportedCodec: "h265" };
      },
      refused: (code) => (this.#facts = { ...this.#facts, refusedCode: code }),
    });
    this.#layout();
  }

  get facts(): LiveViewFacts {
    return this.#facts;
  }

  /** How far the newest boxes are behind the frame on the screen, ms; null without boxes or frame. */
  get sceneLagMs(): number | null {
    const { newestMs } = this.#parts.timeline;
    const { frame } = this.#facts;
    return newestMs === null || !frame ? null : Math.max(0, frame.capturedAtMs - newestMs);
  }

  get stats(): MsePlayer["stats"] {
    return this.#player.stats;
  }

  /** Zones to draw from the next frame on. */
  setZones(zones: readonly OverlayZone[]): void {
    this.#zones = zones;
    this.#draw();
  }

  close(): void {
    this.#leave();
    this.#resizes.disconnect();
    this.#parts.video.removeEventListener("resize", this.#layout);
    this.#player.close();
  }

  readonly #layout = (): void => {
    const { canvas, video, onLayout } = this.#parts;
    const { clientWidth: width, clientHeight: height } = canvas;
    if (width === 0 || height === 0) return;
    const ratio = Math.min(2, globalThis.devicePixelRatio || 1);
    this.#size = { width, height };
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.getContext("2d")?.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.#rect = pictureRect(this.#size, { width: video.videoWidth, height: video.videoHeight });
    onLayout?.(this.#rect);
    this.#draw();
  };

  /** Draws what belongs on the frame; an overlay that would not change is left as it is. */
  #draw(force = true): void {
    const { frame } = this.#facts;
    const tracks = frame ? this.#parts.timeline.at(frame.capturedAtMs) : [];
    if (!force && tracks.length === 0 && this.#drawnTracks === 0) return;
    const context = this.#parts.canvas.getContext("2d");
    if (!context || this.#size.width === 0) return;
    this.#drawnTracks = tracks.length;
    drawOverlay(context, {
      rect: this.#rect,
      zones: this.#zones,
      tracks,
      style: this.#parts.style,
      labelOf: this.#parts.labelOf,
    });
  }
}

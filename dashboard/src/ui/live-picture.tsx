/** Mounts one live picture: video, overlay, and nothing that renders per frame. */
import type { StreamProfile } from "@huishi/contracts";
import { useEffect, useRef } from "react";
import { useApp } from "../core/app-context.ts";
import { currentWords } from "../core/i18n/use-words.ts";
import { LiveView } from "../core/live/live-view.ts";
import { canPlayLive } from "../core/live/playable.ts";
import type { OverlayZone } from "../core/overlay/draw.ts";
import type { Rect } from "../core/overlay/letterbox.ts";
import { readOverlayStyle } from "./overlay-style.ts";

export interface LivePictureProps {
  readonly cameraId: string;
  readonly profile: StreamProfile;
  readonly zones: readonly OverlayZone[];
  /** The view while it is mounted, for whoever asks it about its picture. */
  readonly viewRef: React.RefObject<LiveView | null>;
  readonly onLayout?: (rect: Rect) => void;
}

export function LivePicture({ cameraId, profile, zones, viewRef, onLayout }: LivePictureProps) {
  const { hub, operations, metrics } = useApp();
  const videoRef = useRef<HTMLVideoElement>(null);
  const canvasRef = useRef<HTMLCanvasElement>(null);
  const layoutRef = useRef(onLayout);
  const zonesRef = useRef(zones);

  useEffect(() => {
    const [video, canvas] = [videoRef.current, canvasRef.current];
    if (!video || !canvas || !canPlayLive()) return undefined;
    const view = new LiveView({
      video,
      canvas,
      hub,
      timeline: operations.timeline(cameraId),
      cameraId,
      profile,
      style: readOverlayStyle(canvas),
      labelOf: (track) => currentWords.get().objectClass(track.objectClass),
      onLayout: (rect) => layoutRef.current?.(rect),
    });
    view.setZones(zonesRef.current);
    viewRef.current = view;
    const forget = metrics.addView(view);
    return () => {
      forget();
      view.close();
      viewRef.current = null;
    };
  }, [hub, operations, metrics, cameraId, profile, viewRef]);

  useEffect(() => {
    layoutRef.current = onLayout;
    zonesRef.current = zones;
    viewRef.current?.setZones(zones);
  }, [onLayout, zones, viewRef]);

  return (
    <div className="live-picture">
      {/* oxlint-disable-next-line jsx-a11y/media-has-caption -- cameras have no speech to caption */}
      <video ref={videoRef} muted autoPlay playsInline disablePictureInPicture tabIndex={-1} aria-hidden />
      <canvas ref={canvasRef} aria-hidden />
    </div>
  );
}

/** Evaluates a live picture four times a second, and at once when the socket goes. */
import type { Camera } from "@huishi/contracts";
import { useEffect, useEffectEvent, useState } from "react";
import { useApp } from "../core/app-context.ts";
import type { LiveView, LiveViewFacts } from "../core/live/live-view.ts";
import { type TileState, tileState } from "../core/live/tile-state.ts";
import { ticker } from "../core/ticker.ts";

export interface TileTick {
  readonly state: TileState;
  readonly facts: LiveViewFacts;
  readonly nowMs: number;
}

/** @param onTick writes what changes all the time (times, ages) into the page without rendering */
export function useTileState(
  camera: Camera | undefined,
  viewRef: React.RefObject<LiveView | null>,
  onTick: (tick: TileTick) => void,
): TileState {
  const { hub } = useApp();
  const [state, setState] = useState<TileState>("connecting");
  const evaluate = useEffectEvent(() => {
    const facts = viewRef.current?.facts ?? {
      frame: null,
      unsupportedCodec: null,
      refusedCode: null,
      waitingSinceMs: hub.serverNowMs(),
    };
    const nowMs = hub.serverNowMs();
    const next = tileState({ ...facts, socket: hub.connection.get().phase, camera: camera ?? null, nowMs });
    setState(next);
    onTick({ state: next, facts, nowMs });
  });
  useEffect(() => {
    evaluate();
    const stops = [ticker.subscribe(() => evaluate()), hub.connection.subscribe(() => evaluate())];
    return () => stops.forEach((stop) => stop());
  }, [hub]);
  return state;
}

/** Sends a clip in chunks, and again from where it broke. */
import { CLIP_TYPE_BYTES, clipTypeOf, MAX_REHEARSAL_CLIP_BYTES, type RehearsalClip } from "@huishi/contracts";
import { HuishiError } from "@huishi/kernel";
import type { Api } from "../../core/api/api.ts";
import { ApiError } from "../../core/api/http.ts";

/** A chunk that did not get through is sent so often. */
const TRIES = 4;
const PAUSE_MS = 800;

/** @throws HuishiError REHEARSAL_CLIP_TYPE before anything is sent; ApiError */
export async function uploadClip(
  api: Api,
  clip: { readonly cameraId: string; readonly file: File },
  { signal, onProgress }: { signal: AbortSignal; onProgress: (share: number) => void },
): Promise<RehearsalClip> {
  const { cameraId, file } = clip;
  const first = new Uint8Array(await file.slice(0, CLIP_TYPE_BYTES).arrayBuffer());
  if (clipTypeOf(first) === null) throw new HuishiError("REHEARSAL_CLIP_TYPE", "");
  let state = await api.announceClip({ cameraId, bytes: file.size }, signal);
  for (let no = 0; no < state.chunks; no++) {
    const bytes = file.slice(no * state.chunkBytes, (no + 1) * state.chunkBytes);
    state = await persistently(() => api.sendClipChunk(state.id, no, { bytes, signal }), signal);
    onProgress((no + 1) / state.chunks);
  }
  return state;
}

export function isTooLarge(file: File): boolean {
  return file.size > MAX_REHEARSAL_CLIP_BYTES;
}

/** Tries again what did not reach the server. */
async function persistently<T>(send: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await send();
    } catch (error) {
      const isLost = error instanceof ApiError && (error.status === 0 || error.status >= 500);
      if (signal.aborted || !isLost || tries >= TRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * tries));
    }
  }
}

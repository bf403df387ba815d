/** One rehearsal from its start to its end: sends the clip, asks for the job, looks how far it is. */
import type { Rehearsal, RehearsalSubject } from "@huishi/contracts";
import { HuishiError } from "@huishi/kernel";
import { useCallback, useEffect, useRef, useState } from "react";
import type { Api } from "../../core/api/api.ts";
import { useApp } from "../../core/app-context.ts";
import { uploadClip } from "./clip-upload.ts";
import { type Over, sourceOf } from "./rehearsal-model.ts";

export type RehearsalStage =
  | { readonly kind: "idle" }
  | { readonly kind: "sending"; readonly share: number }
  | { readonly kind: "running"; readonly rehearsal: Rehearsal | null }
  | { readonly kind: "ended"; readonly rehearsal: Rehearsal }
  | { readonly kind: "failed"; readonly error: unknown };

export interface RehearsalOrder {
  readonly cameraId: string;
  readonly subject: RehearsalSubject;
  readonly baseline: RehearsalSubject | null;
  readonly over: Over;
  /** With `over: "clip"`. */
  readonly file: File | null;
}

const FIRST_LOOK_MS = 300;
const LONGEST_PAUSE_MS = 2_000;
const BACK_OFF = 1.4;

export function useRehearsal(): {
  readonly stage: RehearsalStage;
  readonly start: (order: RehearsalOrder) => void;
  readonly cancel: () => void;
} {
  const { api } = useApp();
  const [stage, setStage] = useState<RehearsalStage>({ kind: "idle" });
  const running = useRef<AbortController | null>(null);
  const sent = useRef<SentClip | null>(null);
  useEffect(() => () => running.current?.abort(), []);

  const start = useCallback(
    (order: RehearsalOrder): void => {
      running.current?.abort();
      const abort = new AbortController();
      running.current = abort;
      const show = (next: RehearsalStage): void => {
        if (running.current === abort) setStage(next);
      };
      rehearse({ api, order, sent, signal: abort.signal, show }).catch((error: unknown) => {
        if (!abort.signal.aborted) show({ kind: "failed", error });
      });
    },
    [api],
  );
  const cancel = useCallback((): void => {
    running.current?.abort();
    running.current = null;
    setStage({ kind: "idle" });
  }, []);
  return { stage, start, cancel };
}

/** The clip that was sent last: a changed rule is rehearsed on it without sending it again. */
interface SentClip {
  readonly file: File;
  readonly clipId: string;
}

interface Run {
  readonly api: Api;
  readonly order: RehearsalOrder;
  readonly sent: { current: SentClip | null };
  readonly signal: AbortSignal;
  readonly show: (stage: RehearsalStage) => void;
}

async function rehearse(run: Run): Promise<void> {
  const { api, signal, show } = run;
  const job = await askFor(run);
  // Who leaves or cancels in the meantime wants no result any more.
  const onAbort = (): void => void api.cancelRehearsal(job.id).catch(() => undefined);
  if (signal.aborted) return onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  let rehearsal = job;
  for (
    let pauseMs = FIRST_LOOK_MS;
    isUnderWay(rehearsal);
    pauseMs = Math.min(pauseMs * BACK_OFF, LONGEST_PAUSE_MS)
  ) {
    show({ kind: "running", rehearsal });
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    if (signal.aborted) return;
    rehearsal = await api.rehearsal(job.id, signal);
  }
  signal.removeEventListener("abort", onAbort);
  const { error } = rehearsal;
  if (error) show({ kind: "failed", error: new HuishiError(error.code, error.message) });
  else show({ kind: "ended", rehearsal });
}

const isUnderWay = ({ state }: Rehearsal): boolean => state === "waiting" || state === "running";

async function askFor(run: Run): Promise<Rehearsal> {
  const { api, order, sent, show } = run;
  const { cameraId, subject, baseline, over } = order;
  const asked = { cameraId, subject, ...(baseline && { baseline }) };
  if (over !== "clip") {
    show({ kind: "running", rehearsal: null });
    return api.rehearse({ ...asked, source: sourceOf(over, Date.now()) });
  }
  const wasSent = sent.current !== null && sent.current.file === order.file;
  const clipId = await clipOf(run);
  show({ kind: "running", rehearsal: null });
  try {
    return await api.rehearse({ ...asked, source: { kind: "clip", clipId } });
  } catch (error) {
    const isGone = error instanceof HuishiError && error.code === "REHEARSAL_CLIP_NOT_FOUND";
    if (!isGone || !wasSent) throw error;
    sent.current = null;
    return askFor(run);
  }
}

async function clipOf({ api, order, sent, signal, show }: Run): Promise<string> {
  const { file, cameraId } = order;
  if (!file) throw new TypeError("no clip was chosen");
  if (sent.current?.file === file) return sent.current.clipId;
  show({ kind: "sending", share: 0 });
  const clip = await uploadClip(
    api,
    { cameraId, file },
    { signal, onProgress: (share) => show({ kind: "sending", share }) },
  );
  sent.current = { file, clipId: clip.id };
  return clip.id;
}

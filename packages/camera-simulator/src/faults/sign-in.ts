/** Judges a sign-in to RTSP as the camera's fault switches say. */
import { REALM } from "../http/digest-auth.ts";
import type { RtspServerState } from "../rtsp/rtsp-server-state.ts";

interface Judgement {
  readonly outcome: "accepted" | "missing" | "stale" | "wrong" | "locked";
  /** The value of WWW-Authenticate. */
  readonly challenge: string;
}

export function judgeSignIn(state: RtspServerState, header: string | undefined, method: string): Judgement {
  const { authenticator } = state.options;
  const { signIn, refusesAll, lockOutAfter } = state.faults.server;
  if (lockOutAfter !== undefined && state.failedSignIns >= lockOutAfter)
    return { outcome: "locked", challenge: "" };
  if (!authenticator) {
    const outcome = refusesAll ? (header ? "wrong" : "missing") : "accepted";
    return { outcome, challenge: `Basic realm="${REALM}"` };
  }
  const algorithm = signIn === "digest_sha256" ? "SHA-256" : "MD5";
  const challenge = (stale = false): string =>
    signIn === "basic" ? `Basic realm="${REALM}"` : authenticator.challenge(stale, algorithm);
  const allowsBasic = signIn === "basic" || signIn === "digest_or_basic";
  const judged = authenticator.check(header, method, allowsBasic, algorithm);
  if (header && (refusesAll || state.refusesAll)) return { outcome: "wrong", challenge: challenge() };
  if (judged === "accepted" && state.faults.staleLeft > 0) {
    state.faults.staleLeft -= 1;
    return { outcome: "stale", challenge: challenge(true) };
  }
  return { outcome: judged, challenge: challenge(judged === "stale") };
}

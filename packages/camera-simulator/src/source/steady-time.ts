/** Wall clock in milliseconds that never goes back: pacing and RTP times must survive a corrected system clock. */
export function steadyNowMs(): number {
  return performance.timeOrigin + performance.now();
}

/** How far a rate looks back. */
const WINDOW_MS = 10_000;

/** Rates of counters that only rise, over the last ten seconds; a counter that fell was begun anew. */
export class CounterRate<K extends string> {
  #samples: { readonly atMs: number; readonly counts: Readonly<Record<K, number>> }[] = [];

  observe(atMs: number, counts: Readonly<Record<K, number>>): void {
    const last = this.#samples.at(-1);
    const hasRestarted =
      last !== undefined && (Object.keys(counts) as K[]).some((name) => counts[name] < last.counts[name]);
    if (hasRestarted || (last && atMs <= last.atMs)) this.#samples = [];
    this.#samples.push({ atMs, counts });
    // One sample that is older than the window stays, so that the window is covered.
    while (this.#samples.length > 2 && (this.#samples[1]?.atMs ?? 0) <= atMs - WINDOW_MS)
      this.#samples.shift();
  }

  /** A second; null while there is too little to tell. */
  perSecond(name: K): number | null {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (!first || !last || last.atMs - first.atMs < 1_000) return null;
    return ((last.counts[name] - first.counts[name]) * 1_000) / (last.atMs - first.atMs);
  }
}

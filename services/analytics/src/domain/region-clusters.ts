/** What a crop has to show, in pixels of the frame. */
export interface Span {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  /** Height of the smallest object in it; 0 = not known. */
  readonly objectHeight: number;
}

export interface ClusterOptions {
  /** A smaller crop would show nothing more: merging up to here is free. */
  readonly leastSide: number;
  /** Clusters wanted at most. */
  readonly most: number;
  /** The largest crop that still shows the span's object well enough. */
  readonly largestSide: (span: Span) => number;
}

/** The span of both. */
function join(a: Span, b: Span): Span {
  return {
    left: Math.min(a.left, b.left),
    top: Math.min(a.top, b.top),
    right: Math.max(a.right, b.right),
    bottom: Math.max(a.bottom, b.bottom),
    objectHeight: Math.min(a.objectHeight || b.objectHeight, b.objectHeight || a.objectHeight),
  };
}

export function clusterSpan(members: readonly Span[]): Span {
  return members.reduce(join);
}

const sideOf = (span: Span): number => Math.max(span.right - span.left, span.bottom - span.top);

/**
 * Puts spans together that share a crop: always where the common crop needs no more than the least side, and,
 * while there are more clusters than wanted, as far as the objects in it stay large enough. Smallest crop first.
 */
export function cluster(spans: readonly Span[], options: ClusterOptions): Span[][] {
  const clusters = [...spans]
    .sort((a, b) => a.left - b.left || a.top - b.top)
    .map((span) => ({ span, members: [span] }));
  for (;;) {
    let best: { i: number; j: number; side: number } | null = null;
    for (let i = 0; i < clusters.length; i++) {
      for (let j = i + 1; j < clusters.length; j++) {
        const joined = join(clusters[i]!.span, clusters[j]!.span);
        const side = sideOf(joined);
        const free = side <= options.leastSide;
        const allowed = free || (clusters.length > options.most && side <= options.largestSide(joined));
        if (allowed && (best === null || side < best.side)) best = { i, j, side };
      }
    }
    if (best === null) return clusters.map(({ members }) => members);
    const [from] = clusters.splice(best.j, 1);
    const into = clusters[best.i]!;
    into.members.push(...from!.members);
    into.span = join(into.span, from!.span);
  }
}

/** The smallest square of whole pixels around the span, moved (and if need be cut) to lie inside the frame. */
export function squareAround(
  span: Span,
  leastSide: number,
  frame: { readonly width: number; readonly height: number },
): { x: number; y: number; w: number; h: number } {
  const side = Math.ceil(Math.max(leastSide, sideOf(span)));
  const w = Math.min(side, frame.width);
  const h = Math.min(side, frame.height);
  const place = (middle: number, size: number, limit: number) =>
    Math.max(0, Math.min(limit - size, Math.round(middle - size / 2)));
  return {
    x: place((span.left + span.right) / 2, w, frame.width),
    y: place((span.top + span.bottom) / 2, h, frame.height),
    w,
    h,
  };
}

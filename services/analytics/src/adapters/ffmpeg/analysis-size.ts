export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/**
 * The largest size with the picture's aspect that fits into `bounds`; never larger than the picture, even on
 * both sides (chroma is subsampled).
 */
export function fitWithin(picture: PictureSize, bounds: PictureSize): PictureSize {
  const scale = Math.min(1, bounds.width / picture.width, bounds.height / picture.height);
  const even = (side: number): number => Math.max(2, Math.round((side * scale) / 2) * 2);
  return { width: even(picture.width), height: even(picture.height) };
}

/** Where the picture lies inside an element that shows it whole (`object-fit: contain`), and the way back. */
import type { Point } from "@huishi/kernel";

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A rectangle in the element's own pixels. */
export interface Rect extends Size {
  readonly left: number;
  readonly top: number;
}

/** The largest rectangle of the picture's aspect, centred in the element. The whole element without a picture. */
export function pictureRect(element: Size, picture: Size): Rect {
  if (picture.width <= 0 || picture.height <= 0 || element.width <= 0 || element.height <= 0) {
    return { left: 0, top: 0, width: element.width, height: element.height };
  }
  const scale = Math.min(element.width / picture.width, element.height / picture.height);
  const width = picture.width * scale;
  const height = picture.height * scale;
  return { left: (element.width - width) / 2, top: (element.height - height) / 2, width, height };
}

/** A normalised point of the picture in the element's pixels. */
export function toElement(point: Point, rect: Rect): Point {
  return { x: rect.left + point.x * rect.width, y: rect.top + point.y * rect.height };
}

/** A pixel of the element as a normalised point of the picture, pulled to its edge when it lies beside it. */
export function toPicture(pixel: Point, rect: Rect): Point {
  const clamp = (value: number): number => Math.min(1, Math.max(0, value));
  return {
    x: rect.width > 0 ? clamp((pixel.x - rect.left) / rect.width) : 0,
    y: rect.height > 0 ? clamp((pixel.y - rect.top) / rect.height) : 0,
  };
}

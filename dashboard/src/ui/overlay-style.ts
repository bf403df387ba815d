import type { OverlayStyle } from "../core/overlay/draw.ts";

/** The canvas's colours and font from the design tokens in force at the element. */
export function readOverlayStyle(element: Element): OverlayStyle {
  const style = getComputedStyle(element);
  const token = (name: string): string => style.getPropertyValue(name).trim();
  return {
    box: token("--overlay-box"),
    boxEdge: token("--overlay-edge"),
    zone: token("--overlay-zone"),
    zoneFill: token("--overlay-zone-fill"),
    text: token("--overlay-text"),
    font: `500 12px ${token("--font")}`,
  };
}

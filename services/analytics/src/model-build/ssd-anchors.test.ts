import { expect, test } from "vitest";
import { anchorsWeight, loadCocoSsd } from "./coco-ssd.ts";
import { ANCHOR_STRIDE, ssdAnchors } from "../domain/decoders/ssd-anchors.ts";

test("the anchors are those that the model was trained with", async () => {
  const trained = (await loadCocoSsd()).weights.get(anchorsWeight)?.values ?? new Float32Array();
  const anchors = ssdAnchors([19, 10, 5, 3, 2, 1]);
  expect(anchors.length).toBe(trained.length);
  let worst = 0;
  for (let at = 0; at < anchors.length; at += ANCHOR_STRIDE) {
    const [y, x, h, w] = anchors.subarray(at, at + ANCHOR_STRIDE) as unknown as [
      number,
      number,
      number,
      number,
    ];
    [y - h / 2, x - w / 2, y + h / 2, x + w / 2].forEach((edge, i) => {
      worst = Math.max(worst, Math.abs(edge - (trained[at + i] as number)));
    });
  }
  expect(worst).toBeLessThan(1e-4);
});

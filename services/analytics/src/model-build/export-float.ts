/** Writes a `Network` as a float32 ONNX file: the reference that the int8 one is calibrated with and judged by. */
import { type Conv, type Network, anchorCount, tensorNames } from "./network.ts";
import { OnnxGraph } from "./onnx-writer.ts";

/**
 * Input `pixels` uint8 [1, size, size, 3] RGB; outputs `boxes` float32 [anchors, 4] (encoded) and `scores` float32
 * [anchors, classes] (logits).
 *
 * @param probes also offer the output of every layer under its own name (for calibration)
 */
export function exportFloat(network: Network, options: { readonly probes: boolean }): Uint8Array {
  const graph = new OnnxGraph("coco-ssd-fp32");
  const size = network.inputSize;
  graph.input({ name: tensorNames.pixels, type: "uint8", dims: [1, size, size, 3] });
  graph.node("Cast", [tensorNames.pixels], "float_pixels", { to: { int: 1 } });
  graph.node(
    "Mul",
    ["float_pixels", graph.constant("pixel_scale", Float32Array.of(2 / 255))],
    "scaled_pixels",
  );
  graph.node("Sub", ["scaled_pixels", graph.constant("pixel_offset", Float32Array.of(1))], "centred_pixels");
  graph.node("Transpose", ["centred_pixels"], network.input, { perm: { ints: [0, 3, 1, 2] } });
  for (const layer of network.layers) {
    if (layer.kind === "sum") graph.node("Add", layer.inputs, layer.name);
    else addConv(graph, layer);
    if (options.probes) graph.output({ name: layer.name, type: "float32" });
  }
  addHeads(graph, network, (name) => name);
  return graph.serialise();
}

function addConv(graph: OnnxGraph, conv: Conv): void {
  const weights = graph.constant(`${conv.name}/weights`, conv.weights, conv.shape);
  const bias = graph.constant(`${conv.name}/bias`, conv.bias);
  const output = conv.relu6 ? `${conv.name}/linear` : conv.name;
  graph.node("Conv", [conv.input, weights, bias], output, convAttributes(conv));
  if (!conv.relu6) return;
  const low = graph.constant(`${conv.name}/low`, Float32Array.of(0), []);
  const high = graph.constant(`${conv.name}/high`, Float32Array.of(6), []);
  graph.node("Clip", [output, low, high], conv.name);
}

export function convAttributes(conv: Conv): Record<string, { int: number } | { ints: readonly number[] }> {
  return {
    group: { int: conv.groups },
    kernel_shape: { ints: conv.shape.slice(2) },
    pads: { ints: conv.pads },
    strides: { ints: [conv.stride, conv.stride] },
  };
}

/** Brings the heads into rows, one an anchor: cell by cell in reading order, the cell's anchors next to each other. */
export function addHeads(graph: OnnxGraph, network: Network, nameOf: (layer: string) => string): void {
  const anchors = anchorCount(network);
  for (const [output, columns] of [
    ["boxes", 4],
    ["scores", network.classCount],
  ] as const) {
    const shape = graph.constant(`${output}/rows`, BigInt64Array.of(-1n, BigInt(columns)));
    const rows = network.heads.map((head, index) => {
      graph.node("Transpose", [nameOf(head[output])], `${output}/${index}/cells`, {
        perm: { ints: [0, 2, 3, 1] },
      });
      return graph.node("Reshape", [`${output}/${index}/cells`, shape], `${output}/${index}/rows`);
    });
    graph.node("Concat", rows, tensorNames[output], { axis: { int: 0 } });
    graph.output({ name: tensorNames[output], type: "float32", dims: [anchors, columns] });
  }
}

/** Turns the TFJS graph into a `Network`, folding batch normalisation, biases and ReLU6 into the convolutions. */
import { HuishiError } from "@huishi/kernel";
import { type Conv, type Layer, samePadding } from "./network.ts";
import type { TfjsGraph, TfjsNode, Weight } from "./tfjs-graph.ts";

interface Value {
  readonly name: string;
  readonly size: number;
}

/** Walks back from the wanted nodes to the input and collects the layers on the way. */
export class GraphFolder {
  readonly layers: Layer[] = [];
  readonly #graph: TfjsGraph;
  readonly #values = new Map<string, Value>();
  readonly #convs = new Map<string, Conv>();
  /** Sum -> the convolution among its inputs that nothing else reads. */
  readonly #summands = new Map<string, Conv>();
  readonly #consumers = new Map<string, number>();

  constructor(graph: TfjsGraph, input: { readonly node: string; readonly size: number }) {
    this.#graph = graph;
    this.#values.set(input.node, { name: input.node, size: input.size });
  }

  /** Counts who uses what, so that folding into a value that has a second reader is refused. Call before `resolve`. */
  reach(nodeNames: readonly string[]): void {
    const seen = new Set<string>();
    const visit = (name: string): void => {
      this.#consumers.set(name, (this.#consumers.get(name) ?? 0) + 1);
      if (seen.has(name) || this.#values.has(name)) return;
      seen.add(name);
      for (const input of this.#node(name).inputs) visit(input);
    };
    nodeNames.forEach(visit);
  }

  /** The layer output that holds the value of graph node `name`, and its height (= width). */
  resolve(name: string): Value {
    const known = this.#values.get(name);
    if (known) return known;
    const value = this.#fold(this.#node(name));
    this.#values.set(name, value);
    return value;
  }

  #fold(node: TfjsNode): Value {
    switch (node.op) {
      case "Conv2D":
      case "DepthwiseConv2dNative":
        return this.#convolution(node);
      case "FusedBatchNorm":
        return this.#batchNorm(node);
      case "Relu6":
        return this.#intoConv(node, (conv) => {
          conv.relu6 = true;
        });
      case "Mul":
        return this.#intoConv(node, (conv) => scaleChannels(conv, this.#constant(node, 1)));
      case "BiasAdd":
        return this.#intoConv(node, (conv) => shiftChannels(conv, this.#constant(node, 1)));
      case "Add":
      case "AddN":
        return this.#add(node);
      default:
        throw conversionError(`operator ${node.op} (node ${node.name}) is not supported`);
    }
  }

  #convolution(node: TfjsNode): Value {
    const input = this.resolve(this.#inputName(node, 0));
    const weight = this.#graph.weights.get(this.#inputName(node, 1));
    if (!weight) throw conversionError(`${node.name} has no constant weights`);
    const depthwise = node.op === "DepthwiseConv2dNative";
    const [kernelHeight, kernelWidth, inChannels, outOrMultiplier] = weight.shape as [
      number,
      number,
      number,
      number,
    ];
    if (depthwise && outOrMultiplier !== 1)
      throw conversionError(`${node.name} has depth multiplier ${outOrMultiplier}`);
    const stride = readStride(node);
    const [top, bottom] = samePadding(input.size, kernelHeight, stride);
    const [left, right] = samePadding(input.size, kernelWidth, stride);
    const outChannels = depthwise ? inChannels : outOrMultiplier;
    const conv: Conv = {
      kind: "conv",
      name: node.name,
      input: input.name,
      shape: [outChannels, depthwise ? 1 : inChannels, kernelHeight, kernelWidth],
      weights: depthwise
        ? transposed(weight.values, kernelHeight * kernelWidth, outChannels)
        : outputChannelFirst(weight),
      bias: new Float32Array(outChannels),
      groups: depthwise ? inChannels : 1,
      stride,
      pads: [top, left, bottom, right],
      relu6: false,
    };
    this.layers.push(conv);
    this.#convs.set(node.name, conv);
    return { name: node.name, size: Math.ceil(input.size / stride) };
  }

  /** y = (x - mean) / sqrt(variance + epsilon) * gamma + beta, with the statistics of the training. */
  #batchNorm(node: TfjsNode): Value {
    return this.#intoConv(node, (conv) => {
      const [gamma, beta, mean, variance] = [1, 2, 3, 4].map((index) => this.#constant(node, index)) as [
        Float32Array,
        Float32Array,
        Float32Array,
        Float32Array,
      ];
      const epsilon = (node.attributes["epsilon"] as { f: number } | undefined)?.f ?? 1e-3;
      const scale = gamma.map((value, channel) => value / Math.sqrt((variance[channel] as number) + epsilon));
      scaleChannels(conv, scale);
      shiftChannels(
        conv,
        beta.map((value, channel) => value - (mean[channel] as number) * (scale[channel] as number)),
      );
    });
  }

  /** A bias when one side is a constant (on either side: addition commutes), else a residual sum. */
  #add(node: TfjsNode): Value {
    const constantAt = node.inputs.findIndex((name) => this.#graph.weights.has(name));
    if (constantAt < 0) return this.#sum(node);
    const input = this.resolve(this.#inputName(node, 1 - constantAt));
    const summand = this.#summands.get(input.name);
    if (!summand)
      return this.#intoConv(
        node,
        (conv) => shiftChannels(conv, this.#constant(node, constantAt)),
        1 - constantAt,
      );
    shiftChannels(summand, this.#constant(node, constantAt));
    return input;
  }

  /** Grappler writes (convolution + residual) + bias: the sum remembers the convolution that can take the bias. */
  #sum(node: TfjsNode): Value {
    if (node.inputs.length !== 2) throw conversionError(`${node.name} adds ${node.inputs.length} tensors`);
    const a = this.resolve(this.#inputName(node, 0));
    const b = this.resolve(this.#inputName(node, 1));
    this.layers.push({ kind: "sum", name: node.name, inputs: [a.name, b.name] });
    const summand = this.#convs.get(a.name);
    const onlyHere =
      this.#consumers.get(this.#inputName(node, 0)) === 1 && this.#consumers.get(node.name) === 1;
    if (summand && !summand.relu6 && onlyHere) this.#summands.set(node.name, summand);
    return { name: node.name, size: a.size };
  }

  #intoConv(node: TfjsNode, change: (conv: Conv) => void, inputIndex = 0): Value {
    const inputName = this.#inputName(node, inputIndex);
    const input = this.resolve(inputName);
    const conv = this.#convs.get(input.name);
    if (!conv || conv.relu6) throw conversionError(`${node.op} ${node.name} does not follow a convolution`);
    if (this.#consumers.get(inputName) !== 1)
      throw conversionError(`${inputName} has several readers: ${node.name} cannot be folded into it`);
    change(conv);
    return input;
  }

  #node(name: string): TfjsNode {
    const node = this.#graph.nodes.get(name);
    if (!node) throw conversionError(`node ${name} is not in the graph`);
    return node;
  }

  #inputName(node: TfjsNode, index: number): string {
    const name = node.inputs[index];
    if (name === undefined) throw conversionError(`${node.name} has no input ${index}`);
    return name;
  }

  #constant(node: TfjsNode, index: number): Float32Array {
    const weight = this.#graph.weights.get(this.#inputName(node, index));
    if (!weight) throw conversionError(`input ${index} of ${node.name} is not a constant`);
    return weight.values;
  }
}

function readStride(node: TfjsNode): number {
  const list = (attribute: string): readonly string[] =>
    (node.attributes[attribute] as { list?: { i?: string[] } } | undefined)?.list?.i ?? [];
  const padding = Buffer.from((node.attributes["padding"] as { s: number[] }).s).toString("latin1");
  if (padding !== "SAME") throw conversionError(`${node.name} has padding ${padding}`);
  if (list("dilations").some((dilation) => dilation !== "1"))
    throw conversionError(`${node.name} is dilated`);
  const [, vertical, horizontal] = list("strides");
  if (vertical === undefined || vertical !== horizontal)
    throw conversionError(`${node.name} has strides ${vertical}x${horizontal}`);
  return Number(vertical);
}

function scaleChannels(conv: Conv, scale: Float32Array): void {
  const perChannel = conv.weights.length / conv.bias.length;
  for (let i = 0; i < conv.weights.length; i++)
    (conv.weights[i] as number) *= scale[Math.floor(i / perChannel)] as number;
  for (let channel = 0; channel < conv.bias.length; channel++)
    (conv.bias[channel] as number) *= scale[channel] as number;
}

function shiftChannels(conv: Conv, shift: Float32Array): void {
  for (let channel = 0; channel < conv.bias.length; channel++)
    (conv.bias[channel] as number) += shift[channel] as number;
}

/** [rows, columns] -> [columns, rows]. */
function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++)
      result[column * rows + row] = values[row * columns + column] as number;
  }
  return result;
}

/** [height, width, in, out] -> [out, in, height, width]. */
function outputChannelFirst(weight: Weight): Float32Array {
  const [height, width, inChannels, outChannels] = weight.shape as [number, number, number, number];
  const result = new Float32Array(weight.values.length);
  let source = 0;
  for (let cell = 0; cell < height * width; cell++) {
    for (let i = 0; i < inChannels; i++) {
      for (let o = 0; o < outChannels; o++)
        result[(o * inChannels + i) * height * width + cell] = weight.values[source++] as number;
    }
  }
  return result;
}

function conversionError(reason: string): HuishiError {
  return new HuishiError("MODEL_CONVERSION_FAILED", `The model cannot be converted: ${reason}.`);
}

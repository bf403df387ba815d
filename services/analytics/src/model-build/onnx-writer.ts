/** Builds an ONNX model file. Field numbers are those of onnx.proto3 (ONNX IR version 8, operator set 13). */
import { ProtoWriter } from "./proto-writer.ts";

const IR_VERSION = 8;
const OPSET_VERSION = 13;

/** `TensorProto.DataType` of the element types that we write. */
const elementTypes = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7 } as const;
type ElementType = keyof typeof elementTypes;

/** `AttributeProto.AttributeType` of the attribute kinds that we write. */
const attributeTypes = { float: 1, int: 2, string: 3, ints: 7 } as const;

export type Attribute =
  { float: number } | { int: number } | { string: string } | { ints: readonly number[] };
export type TensorData = Float32Array | Uint8Array | Int8Array | Int32Array | BigInt64Array;

export interface TensorShape {
  readonly name: string;
  readonly type: ElementType;
  /** Left to shape inference when absent. */
  readonly dims?: readonly number[];
}

/** Collects nodes, constants, inputs and outputs in the order of the calls; the order decides the bytes. */
export class OnnxGraph {
  readonly #name: string;
  readonly #nodes: ProtoWriter[] = [];
  readonly #initializers: ProtoWriter[] = [];
  readonly #inputs: ProtoWriter[] = [];
  readonly #outputs: ProtoWriter[] = [];

  constructor(name: string) {
    this.#name = name;
  }

  input(shape: TensorShape): void {
    this.#inputs.push(valueInfo(shape));
  }

  output(shape: TensorShape): void {
    this.#outputs.push(valueInfo(shape));
  }

  /** Adds a constant tensor and returns its name. */
  constant(name: string, data: TensorData, dims: readonly number[] = [data.length]): string {
    const tensor = new ProtoWriter()
      .packed(1, dims)
      .integer(2, elementTypes[elementTypeOf(data)])
      .string(8, name);
    tensor.bytes(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    this.#initializers.push(tensor);
    return name;
  }

  /** Adds an operator with one output, which also names the node, and returns that name. */
  node(
    opType: string,
    inputs: readonly string[],
    output: string,
    attributes: Record<string, Attribute> = {},
  ): string {
    const node = new ProtoWriter();
    for (const input of inputs) node.string(1, input);
    node.string(2, output).string(3, output).string(4, opType);
    for (const [name, attribute] of Object.entries(attributes))
      node.message(5, attributeMessage(name, attribute));
    this.#nodes.push(node);
    return output;
  }

  /** The whole file: a `ModelProto`. */
  serialise(): Uint8Array {
    const graph = new ProtoWriter();
    for (const node of this.#nodes) graph.message(1, node);
    graph.string(2, this.#name);
    for (const initializer of this.#initializers) graph.message(5, initializer);
    for (const input of this.#inputs) graph.message(11, input);
    for (const output of this.#outputs) graph.message(12, output);
    const opset = new ProtoWriter().string(1, "").integer(2, OPSET_VERSION);
    return new ProtoWriter()
      .integer(1, IR_VERSION)
      .string(2, "huishi")
      .message(7, graph)
      .message(8, opset)
      .finish();
  }
}

function elementTypeOf(data: TensorData): ElementType {
  if (data instanceof Float32Array) return "float32";
  if (data instanceof Int8Array) return "int8";
  if (data instanceof Int32Array) return "int32";
  if (data instanceof BigInt64Array) return "int64";
  return "uint8";
}

function attributeMessage(name: string, attribute: Attribute): ProtoWriter {
  const message = new ProtoWriter().string(1, name);
  if ("float" in attribute) return message.float(2, attribute.float).integer(20, attributeTypes.float);
  if ("int" in attribute) return message.integer(3, attribute.int).integer(20, attributeTypes.int);
  if ("string" in attribute) return message.string(4, attribute.string).integer(20, attributeTypes.string);
  return message.packed(8, attribute.ints).integer(20, attributeTypes.ints);
}

function valueInfo(shape: TensorShape): ProtoWriter {
  const tensorType = new ProtoWriter().integer(1, elementTypes[shape.type]);
  if (shape.dims) {
    const dims = new ProtoWriter();
    for (const dim of shape.dims) dims.message(1, new ProtoWriter().integer(1, dim));
    tensorType.message(2, dims);
  }
  return new ProtoWriter().string(1, shape.name).message(2, new ProtoWriter().message(1, tensorType));
}

/** Models of a few nodes whose outputs are known: they depend on nothing but the picture's mean brightness. */
import type { LoadedModel, ModelRecord } from "../application/detection/model-record.ts";
import { sha256Of } from "../adapters/model-registry/index.ts";
import { OnnxGraph } from "../model-build/onnx-writer.ts";

const TINY_SIZE = 96;

export interface TinyOutput {
  readonly dims: readonly number[];
  /** What it gives for a white picture; in proportion to the brightness below. */
  readonly bright: readonly number[];
  /** What it gives for a black one. Default: zeros. */
  readonly dark?: readonly number[];
}

/** The entry of a tiny model; its input is float32, 0 to 1. */
export function tinyRecord(
  id: string,
  fields: Pick<ModelRecord, "classes" | "decoder"> & Partial<ModelRecord>,
): ModelRecord {
  return {
    id,
    file: `${id}.onnx`,
    sha256: "0".repeat(64),
    licence: "Apache-2.0",
    provenance: "written by a test",
    input: {
      name: "pixels",
      layout: "nchw",
      size: TINY_SIZE,
      colour: "rgb",
      type: "float32",
      scale: 1 / 255,
      fit: "letterbox",
      fill: 255,
    },
    ...fields,
  };
}

/** @param isSick divides the brightness by itself: not a number for a black picture, 1 for any other */
export function tinyOnnx(
  record: ModelRecord,
  outputs: Readonly<Record<string, TinyOutput>>,
  isSick = false,
): LoadedModel {
  const graph = new OnnxGraph(record.id);
  const { name, layout, size } = record.input;
  const dims = layout === "nchw" ? [1, 3, size, size] : [1, size, size, 3];
  graph.input({ name, type: "float32", dims });
  graph.node("ReduceMean", [name], "mean", { axes: { ints: [0, 1, 2, 3] }, keepdims: { int: 0 } });
  const light = isSick ? graph.node("Div", ["mean", "mean"], "light") : "mean";
  const darkness = graph.node("Sub", [graph.constant("one", Float32Array.of(1), []), light], "darkness");
  for (const [output, { dims: shape, bright, dark = bright.map(() => 0) }] of Object.entries(outputs)) {
    const lit = graph.constant(`${output}/bright`, Float32Array.from(bright), shape);
    const unlit = graph.constant(`${output}/dark`, Float32Array.from(dark), shape);
    graph.node("Mul", [lit, light], `${output}/lit`);
    graph.node("Mul", [unlit, darkness], `${output}/unlit`);
    graph.node("Add", [`${output}/lit`, `${output}/unlit`], output);
    graph.output({ name: output, type: "float32", dims: shape });
  }
  const bytes = graph.serialise();
  return { record: { ...record, sha256: sha256Of(bytes) }, bytes };
}

/** SSD with one cell of three anchors and one class that is never there. */
function sickRecord(id: string, fields: Partial<ModelRecord> = {}): ModelRecord {
  return tinyRecord(id, {
    classes: ["person"],
    decoder: { kind: "ssd", boxes: "boxes", scores: "scores", gridSizes: [1] },
    ...fields,
  });
}

/** Gives NaN for a black picture, and only then. */
export function sickOnnx(): LoadedModel {
  const zeros = Array.from({ length: 12 }, () => 0);
  return tinyOnnx(
    sickRecord("sick"),
    { boxes: { dims: [3, 4], bright: zeros }, scores: { dims: [3, 1], bright: [-9, -9, -9] } },
    true,
  );
}

/** The same as a graph model of TensorFlow.js. */
export function sickTfjs(): LoadedModel {
  const float = { type: "DT_FLOAT" };
  const constant = (name: string, dtype: string) => ({ name, op: "Const", attr: { dtype: { type: dtype } } });
  const node = [
    { name: "pixels", op: "Placeholder", attr: { dtype: float } },
    constant("axes", "DT_INT32"),
    constant("boxes/bright", "DT_FLOAT"),
    constant("scores/bright", "DT_FLOAT"),
    { name: "mean", op: "Mean", input: ["pixels", "axes"], attr: { keep_dims: { b: false } } },
    { name: "light", op: "RealDiv", input: ["mean", "mean"] },
    { name: "boxes", op: "Mul", input: ["boxes/bright", "light"] },
    { name: "scores", op: "Mul", input: ["scores/bright", "light"] },
  ];
  const weights = [
    { name: "axes", shape: [4], dtype: "int32" },
    { name: "boxes/bright", shape: [3, 4], dtype: "float32" },
    { name: "scores/bright", shape: [3, 1], dtype: "float32" },
  ];
  const shard = Buffer.concat([
    Buffer.from(Int32Array.of(0, 1, 2, 3).buffer),
    Buffer.from(new Float32Array(12).buffer),
    Buffer.from(Float32Array.of(-9, -9, -9).buffer),
  ]);
  const json = {
    format: "graph-model",
    modelTopology: { node, versions: {} },
    weightsManifest: [{ paths: ["shard"], weights }],
  };
  const bytes = Buffer.from(JSON.stringify(json));
  const record = sickRecord("sick-tfjs", {
    runtime: "tfjs",
    input: { ...sickRecord("sick-tfjs").input, layout: "nhwc" },
    sha256: sha256Of(bytes),
    parts: { shard: sha256Of(shard) },
  });
  return { record, bytes, parts: new Map([["shard", shard]]) };
}

import {
  type ClassColumns,
  classColumns,
  decodeDetr,
  decodeNanodet,
  decodeSsd,
  decodeYolox,
  mismatch,
  type ModelOutput,
  nanodetLevels,
  ssdAnchors,
} from "../../domain/decoders/index.ts";
import type { Detection } from "../../domain/index.ts";
import { columnClasses, type ModelRecord } from "./model-record.ts";

/** A model's outputs by name. */
export type ModelOutputs = ReadonlyMap<string, ModelOutput>;

/** From a model's outputs to candidate objects, normalised to its input. */
export interface Decoder {
  /** Names of the outputs that it reads. */
  readonly outputs: readonly string[];
  /** The model says each object once: nothing that it finds in one region is suppressed. */
  readonly isDistinct: boolean;
  /** @throws HuishiError DETECTOR_INVALID_OUTPUT, MODEL_MISMATCH */
  decode(outputs: ModelOutputs, minScore: number): Detection[];
}

type DecoderOf<K extends ModelRecord["decoder"]["kind"]> = Extract<
  ModelRecord["decoder"],
  { readonly kind: K }
>;

export function createDecoder(record: ModelRecord): Decoder {
  const { decoder, input } = record;
  const classes = classColumns(columnClasses(record));
  if (decoder.kind === "ssd") return ssdDecoder(decoder, classes);
  if (decoder.kind === "yolox") return yoloxDecoder(decoder, classes, input.size);
  if (decoder.kind === "nanodet") return nanodetDecoder(decoder, classes, input.size);
  return detrDecoder(decoder, classes);
}

function ssdDecoder({ boxes, scores, gridSizes }: DecoderOf<"ssd">, classes: ClassColumns): Decoder {
  const layout = { anchors: ssdAnchors(gridSizes), classes };
  return {
    outputs: [boxes, scores],
    isDistinct: false,
    decode: (outputs, minScore) =>
      decodeSsd({ boxes: valuesOf(outputs, boxes), scores: valuesOf(outputs, scores) }, layout, minScore),
  };
}

function yoloxDecoder(decoder: DecoderOf<"yolox">, classes: ClassColumns, inputSize: number): Decoder {
  const { output, strides, scoresAre = "probabilities", boxesAre = "cells" } = decoder;
  const layout = { inputSize, strides, classes, scoresAre, boxesAre };
  return {
    outputs: [output],
    isDistinct: false,
    decode: (outputs, minScore) => decodeYolox(valuesOf(outputs, output), layout, minScore),
  };
}

function nanodetDecoder(decoder: DecoderOf<"nanodet">, classes: ClassColumns, inputSize: number): Decoder {
  const { strides, regMax, cellCentre, scoresAre = "probabilities" } = decoder;
  const layout = { inputSize, strides, classes, regMax, cellCentre, scoresAre };
  if ("output" in decoder) {
    const { output } = decoder;
    return {
      outputs: [output],
      isDistinct: false,
      decode: (outputs, minScore) =>
        decodeNanodet(nanodetLevels(valuesOf(outputs, output), layout), layout, minScore),
    };
  }
  const whole = (data: Float32Array, rowLength: number) => ({
    data,
    rowLength,
    firstColumn: 0,
    firstRow: 0,
  });
  return {
    outputs: [...decoder.scores, ...decoder.boxes],
    isDistinct: false,
    decode: (outputs, minScore) => {
      const levels = decoder.scores.map((scores, level) => ({
        scores: whole(valuesOf(outputs, scores), classes.count),
        distances: whole(valuesOf(outputs, decoder.boxes[level] ?? ""), 4 * (regMax + 1)),
      }));
      return decodeNanodet(levels, layout, minScore);
    },
  };
}

function detrDecoder({ boxes, scores, activation }: DecoderOf<"detr">, classes: ClassColumns): Decoder {
  return {
    outputs: [scores, boxes],
    isDistinct: true,
    decode: (outputs, minScore) =>
      decodeDetr(
        { boxes: valuesOf(outputs, boxes), scores: valuesOf(outputs, scores) },
        { classes, activation },
        minScore,
      ),
  };
}

function valuesOf(outputs: ModelOutputs, name: string): Float32Array {
  const output = outputs.get(name);
  if (output) return output.data;
  throw mismatch(
    `it has no output "${name}"; those that it gave are ${[...outputs.keys()].join(", ") || "none"}`,
  );
}

/** The registry of models (`models/registry.json`): which file, which sha256, whose licence, what goes in and out. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ObjectClass } from "@huishi/contracts";
import { HuishiError } from "@huishi/kernel";

export interface ModelRecord {
  readonly id: string;
  /** Relative to the registry. */
  readonly file: string;
  readonly sha256: string;
  readonly licence: string;
  readonly provenance: string;
  readonly input: { readonly name: string; readonly layout: "nhwc-rgb-u8"; readonly size: number };
  /** In the order of the score columns. */
  readonly classes: readonly ObjectClass[];
  readonly decoder: {
    readonly kind: "ssd";
    readonly boxes: string;
    readonly scores: string;
    /** Cells a side of each feature map, finest first. */
    readonly gridSizes: readonly number[];
  };
}

export interface ModelRegistry {
  readonly default: string;
  readonly models: readonly ModelRecord[];
}

/** The registry that comes with this service; the same place seen from `src` and from `dist`. */
export const registryPath = fileURLToPath(new URL("../../../models/registry.json", import.meta.url));

export async function readModelRegistry(path: string = registryPath): Promise<ModelRegistry> {
  return JSON.parse(await readFile(path, "utf8")) as ModelRegistry;
}

/** @throws HuishiError MODEL_UNKNOWN */
export function findModel(registry: ModelRegistry, id: string = registry.default): ModelRecord {
  const record = registry.models.find((model) => model.id === id);
  if (record) return record;
  const known = registry.models.map((model) => model.id).join(", ");
  throw new HuishiError("MODEL_UNKNOWN", `There is no model "${id}" in the registry; it knows ${known}.`);
}

export interface LoadedModel {
  readonly record: ModelRecord;
  readonly bytes: Uint8Array;
}

/**
 * Reads a model's file and checks it against the pinned sha256.
 *
 * @throws HuishiError MODEL_UNKNOWN, MODEL_MISSING, MODEL_CORRUPT
 */
export async function loadModel(
  options: { readonly registry?: string; readonly id?: string } = {},
): Promise<LoadedModel> {
  const path = options.registry ?? registryPath;
  const record = findModel(await readModelRegistry(path), options.id);
  const file = join(dirname(path), record.file);
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    throw new HuishiError(
      "MODEL_MISSING",
      `The model file ${record.file} is not there: run "npm run build:model".`,
      { cause, details: { model: record.id } },
    );
  }
  const actual = sha256Of(bytes);
  if (actual !== record.sha256) {
    throw new HuishiError(
      "MODEL_CORRUPT",
      `The model file ${record.file} is not the one that the registry pins: run "npm run build:model".`,
      {
        details: { model: record.id, expected: record.sha256, actual },
      },
    );
  }
  return { record, bytes };
}

export function sha256Of(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

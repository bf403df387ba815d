import { HuishiError, messageOf } from "@huishi/kernel";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { createDecoder, type ModelOutputs } from "../../application/detection/decoding.ts";
import type { LoadedModel, ModelRecord } from "../../application/detection/model-record.ts";
import type { RunnableModel } from "../../application/detection/region-detector.ts";
import { mismatch } from "../../domain/decoders/index.ts";
import { isProviderPresent, presentProviders, sessionOptions } from "./execution-providers.ts";

/** A model on onnxruntime-node. `session.run` blocks the event loop: use it in a process of its own. */
export class OnnxModel implements RunnableModel {
  readonly provider: string;
  readonly #session: InferenceSession;
  readonly #record: ModelRecord;

  private constructor(session: InferenceSession, record: ModelRecord, provider: string) {
    this.#session = session;
    this.#record = record;
    this.provider = provider;
  }

  /**
   * @param providers in order of preference; the next one is taken only when the one before is not present
   * @throws HuishiError MODEL_CORRUPT when the runtime cannot read the file, MODEL_MISMATCH when its inputs or outputs are
   * not those of the registry, EXECUTION_PROVIDER_MISSING
   */
  static async open({ record, bytes }: LoadedModel, providers: readonly string[]): Promise<OnnxModel> {
    for (const provider of providers) {
      if (!(await isProviderPresent(provider))) continue;
      const session = await createSession(record, bytes, provider);
      try {
        checkInput(session, record);
        checkOutputs(session, record);
      } catch (error) {
        await session.release();
        throw error;
      }
      return new OnnxModel(session, record, provider);
    }
    const present = await presentProviders();
    throw new HuishiError(
      "EXECUTION_PROVIDER_MISSING",
      `onnxruntime has no execution provider ${providers.join(" or ")} here; present: ${present.join(", ")}. Install its libraries, or name another one (HUISHI_EXECUTION_PROVIDERS, "cuda,cpu" falls back).`,
      { details: { wanted: providers, present } },
    );
  }

  async run(values: Uint8Array | Float32Array, dims: readonly number[]): Promise<ModelOutputs> {
    const pixels =
      values instanceof Uint8Array ? new Tensor("uint8", values, dims) : new Tensor("float32", values, dims);
    const results = await this.#session.run({ [this.#record.input.name]: pixels });
    const outputs = new Map<string, { data: Float32Array; dims: readonly number[] }>();
    for (const [name, tensor] of Object.entries(results))
      if (tensor.data instanceof Float32Array) outputs.set(name, { data: tensor.data, dims: tensor.dims });
    return outputs;
  }

  async close(): Promise<void> {
    await this.#session.release();
  }
}

async function createSession(
  record: ModelRecord,
  bytes: Uint8Array,
  provider: string,
): Promise<InferenceSession> {
  try {
    return await InferenceSession.create(bytes, { ...sessionOptions, executionProviders: [provider] });
  } catch (cause) {
    throw new HuishiError(
      "MODEL_CORRUPT",
      `The runtime (${provider}) cannot read the model ${record.id} (${messageOf(cause)}): run "npm run build:model" for the one that comes with Huishi; another one must be ONNX and complete in one file.`,
      { cause, details: { model: record.id, provider } },
    );
  }
}

function checkInput({ inputMetadata }: InferenceSession, { input }: ModelRecord): void {
  const names = inputMetadata.map(({ name }) => name);
  const found = inputMetadata.find(({ name }) => name === input.name);
  if (!found) throw mismatch(`it has no input "${input.name}"; its inputs are ${names.join(", ")}`);
  if (names.length > 1) throw mismatch(`it wants further inputs: ${names.join(", ")}`);
  if (!found.isTensor || found.type !== input.type)
    throw mismatch(
      `its input "${input.name}" is of ${found.isTensor ? found.type : "another kind"}, not ${input.type}`,
    );
  const { size, layout } = input;
  const wanted = layout === "nhwc" ? [1, size, size, 3] : [1, 3, size, size];
  const fits =
    found.shape.length === wanted.length &&
    found.shape.every((dim, axis) => typeof dim !== "number" || dim < 0 || dim === wanted[axis]);
  if (!fits)
    throw mismatch(
      `its input "${input.name}" has the shape [${found.shape.join(", ")}], the entry says [${wanted.join(", ")}]`,
    );
}

function checkOutputs({ outputMetadata }: InferenceSession, record: ModelRecord): void {
  for (const name of createDecoder(record).outputs) {
    const found = outputMetadata.find((output) => output.name === name);
    if (!found)
      throw mismatch(
        `it has no output "${name}"; its outputs are ${outputMetadata.map((output) => output.name).join(", ")}`,
      );
    if (!found.isTensor || found.type !== "float32")
      throw mismatch(
        `its output "${name}" is of ${found.isTensor ? found.type : "another kind"}, not float32`,
      );
  }
}

import { HuishiError } from "@huishi/kernel";
import { type Runtime, RUNTIMES } from "./model-record.ts";

/** Which detector to open; plain data, so that it can be told to an inference process. */
export interface DetectorChoice {
  /** Default: the chosen model's. */
  readonly runtime?: Runtime;
  /** Execution providers in order of preference; the next one is taken only when the one before is not present. */
  readonly providers?: readonly string[];
  /** The operator's folder of models. */
  readonly modelsDir?: string;
  /** Default: the operator's default, else the one that comes with the service. */
  readonly modelId?: string;
}

/**
 * Reads `HUISHI_DETECTOR` (onnx, tfjs), `HUISHI_MODEL`, `HUISHI_MODELS_DIR` and `HUISHI_EXECUTION_PROVIDERS` (for
 * example `cuda,cpu`: the first one that is present).
 *
 * @param defaultModelsDir used when `HUISHI_MODELS_DIR` is not set
 * @throws HuishiError DETECTOR_CONFIG_INVALID
 */
export function detectorChoice(
  env: Readonly<Record<string, string | undefined>>,
  defaultModelsDir?: string,
): DetectorChoice {
  const wanted = env["HUISHI_DETECTOR"] || undefined;
  const runtime = RUNTIMES.find((known) => known === wanted);
  if (wanted !== undefined && !runtime)
    throw invalid(`HUISHI_DETECTOR is "${wanted}"; it can be ${RUNTIMES.join(" or ")}.`);
  const providers = providersOf(env["HUISHI_EXECUTION_PROVIDERS"]);
  const modelsDir = env["HUISHI_MODELS_DIR"] || defaultModelsDir;
  const modelId = env["HUISHI_MODEL"] || undefined;
  return {
    ...(runtime && { runtime }),
    ...(providers && { providers }),
    ...(modelsDir !== undefined && { modelsDir }),
    ...(modelId !== undefined && { modelId }),
  };
}

function providersOf(text: string | undefined): string[] | undefined {
  if (!text) return undefined;
  const names = text.split(",").map((name) => name.trim().toLowerCase());
  if (names.length > 8 || names.some((name) => !/^[a-z][a-z0-9_-]{0,31}$/.test(name)))
    throw invalid(
      `HUISHI_EXECUTION_PROVIDERS is "${text.slice(0, 100)}"; it is a list of names such as "cuda,cpu".`,
    );
  return names;
}

function invalid(message: string): HuishiError {
  return new HuishiError("DETECTOR_CONFIG_INVALID", message);
}

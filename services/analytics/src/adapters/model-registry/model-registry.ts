/**
 * The registries of models: the one that comes with the service (`models/registry.json`) and, before it, the operator's
 * own (`registry.json` in the models folder). An entry is checked when it is asked for: a wrong one disturbs no other.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { HuishiError } from "@huishi/kernel";
import { type TSchema, Type } from "typebox";
import { Value } from "typebox/value";
import {
  DECODER_KINDS,
  DECODER_SCHEMAS,
  type LoadedModel,
  ModelHead,
  type ModelRecord,
  type Runtime,
} from "../../application/detection/model-record.ts";

/** The registry that comes with this service; the same place seen from `src` and from `dist`. */
export const registryPath = fileURLToPath(new URL("../../../models/registry.json", import.meta.url));

const MAX_REGISTRY_BYTES = 1024 * 1024;
const MAX_MODEL_BYTES = 1024 * 1024 * 1024;

const RegistryFile = Type.Object({
  default: Type.Optional(Type.String()),
  models: Type.Array(Type.Object({ id: Type.String() })),
});

/** An entry as it stands in a file, not checked yet. */
interface Entry {
  readonly id: string;
  readonly value: unknown;
  readonly registry: string;
}

export interface ModelRegistry {
  /** The models to choose when none is named, the first ones first. */
  readonly defaults: readonly string[];
  /** The first of an id counts: the operator's stand before ours. */
  readonly entries: readonly Entry[];
}

export interface ModelChoice {
  /** The operator's folder: `registry.json` and the files that it names. A folder without one is an empty one. */
  readonly modelsDir?: string;
  /** Default: the operator's default, else ours. */
  readonly modelId?: string;
  /** Only a model for this runtime. */
  readonly runtime?: Runtime;
}

/** @throws HuishiError MODEL_REGISTRY_INVALID */
export async function readModelRegistry(modelsDir?: string): Promise<ModelRegistry> {
  const ours = await readRegistryFile(registryPath);
  const theirs =
    modelsDir === undefined ? null : await readRegistryFile(join(resolve(modelsDir), "registry.json"));
  const registries = [theirs, ours].filter((one) => one !== null);
  return {
    defaults: registries.flatMap((one) => one.defaults),
    entries: registries.flatMap((one) => one.entries),
  };
}

/** Null when there is none. */
async function readRegistryFile(path: string): Promise<ModelRegistry | null> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw invalidRegistry(path, `it cannot be read (${(cause as Error).message})`, cause);
  }
  let content: unknown;
  try {
    if (text.length > MAX_REGISTRY_BYTES) throw new RangeError("it is larger than 1 MiB");
    content = JSON.parse(text);
  } catch (cause) {
    throw invalidRegistry(path, (cause as Error).message, cause);
  }
  if (!Value.Check(RegistryFile, content)) throw invalidRegistry(path, firstProblem(RegistryFile, content));
  return {
    defaults: content.default === undefined ? [] : [content.default],
    entries: content.models.map((value) => ({ id: value.id, value, registry: path })),
  };
}

/** @throws HuishiError MODEL_UNKNOWN, MODEL_REGISTRY_INVALID, MODEL_DECODER_UNKNOWN, MODEL_RUNTIME_MISMATCH */
export function findModel(registry: ModelRegistry, choice: ModelChoice = {}): ModelRecord {
  return checkEntry(findEntry(registry, choice));
}

function findEntry({ entries, defaults }: ModelRegistry, { modelId, runtime }: ModelChoice): Entry {
  const byId = (id: string): Entry | undefined => entries.find((entry) => entry.id === id);
  const fits = (entry: Entry): boolean => runtime === undefined || runtimeOf(entry.value) === runtime;
  if (modelId === undefined) {
    const candidates = [...defaults.map(byId).filter((entry) => entry !== undefined), ...entries];
    const entry = candidates.find(fits);
    if (entry) return entry;
    throw new HuishiError("MODEL_UNKNOWN", `No model in the registry runs on ${runtime ?? "any runtime"}.`);
  }
  const entry = byId(modelId);
  if (!entry) {
    const known = [...new Set(entries.map(({ id }) => id))].join(", ");
    throw new HuishiError(
      "MODEL_UNKNOWN",
      `There is no model "${modelId}" in the registry; it knows ${known}. Add an entry to registry.json in the models folder (HUISHI_MODELS_DIR), or choose another one (HUISHI_MODEL).`,
    );
  }
  if (!fits(entry)) {
    throw new HuishiError(
      "MODEL_RUNTIME_MISMATCH",
      `The model "${modelId}" is for ${runtimeOf(entry.value)}, not for ${runtime}: set HUISHI_DETECTOR or HUISHI_MODEL accordingly.`,
    );
  }
  return entry;
}

function runtimeOf(value: unknown): string {
  const { runtime = "onnx" } = value as { readonly runtime?: unknown };
  return typeof runtime === "string" ? runtime : "an unknown runtime";
}

function checkEntry({ id, value, registry }: Entry): ModelRecord {
  if (!Value.Check(ModelHead, value))
    throw invalidRegistry(registry, firstProblem(ModelHead, value), undefined, id);
  const kind = DECODER_KINDS.find((known) => known === value.decoder.kind);
  if (!kind) {
    throw new HuishiError(
      "MODEL_DECODER_UNKNOWN",
      `The model "${id}" wants a decoder "${value.decoder.kind}"; there are ${DECODER_KINDS.join(", ")}.`,
      { details: { model: id, kinds: DECODER_KINDS } },
    );
  }
  const decoder: unknown = value.decoder;
  if (!Value.Check(DECODER_SCHEMAS[kind], decoder))
    throw invalidRegistry(registry, `decoder${firstProblem(DECODER_SCHEMAS[kind], decoder)}`, undefined, id);
  const record: ModelRecord = { ...value, decoder };
  const problem = contradiction(record);
  if (problem) throw invalidRegistry(registry, problem, undefined, id);
  return record;
}

/** What no single field is to blame for. */
function contradiction({ classes, input, decoder }: ModelRecord): string | null {
  const columns = Array.isArray(classes)
    ? classes.filter((one) => one !== null)
    : Object.keys(classes.columns);
  if (columns.length === 0) return "/classes names none of our classes: nothing would ever be reported";
  if (
    !Array.isArray(classes) &&
    Object.keys(classes.columns).some((column) => Number(column) >= classes.count)
  )
    return `/classes names a column beyond its count of ${classes.count}`;
  const isNormalised = (input.scale ?? input.mean ?? input.std) !== undefined;
  if (input.type === "uint8" && isNormalised)
    return "/input is of bytes, which cannot be scaled: leave out scale, mean and std";
  if (input.std?.includes(0)) return "/input/std divides by zero";
  if (decoder.kind === "nanodet" && "scores" in decoder) {
    const { scores, boxes, strides } = decoder;
    if (scores.length !== strides.length || boxes.length !== strides.length)
      return "/decoder needs one of scores and one of boxes for each of its strides";
  }
  return null;
}

/**
 * Reads a model's files and checks them against the pinned sha256.
 *
 * @throws HuishiError MODEL_MISSING, MODEL_CORRUPT, and what `readModelRegistry` and `findModel` throw
 */
export async function loadModel(choice: ModelChoice = {}): Promise<LoadedModel> {
  const entry = findEntry(await readModelRegistry(choice.modelsDir), choice);
  const record = checkEntry(entry);
  const isOurs = entry.registry === registryPath;
  const file = fileOf(record, entry.registry, isOurs);
  const bytes = await readPinned(file, record.sha256, { record, isOurs, name: record.file });
  if (!record.parts) return { record, bytes };
  const parts = new Map<string, Uint8Array>();
  for (const [name, sha256] of Object.entries(record.parts))
    parts.set(name, await readPinned(join(dirname(file), name), sha256, { record, isOurs, name }));
  return { record, bytes, parts };
}

function fileOf(record: ModelRecord, registry: string, isOurs: boolean): string {
  const inPackage = /^npm:((?:@[^/]+\/)?[^/]+)\/(.+)$/.exec(record.file);
  if (!inPackage) return resolve(dirname(registry), record.file);
  const [, packageName, path] = inPackage as unknown as [string, string, string];
  try {
    const packageFile = createRequire(import.meta.url).resolve(`${packageName}/package.json`);
    return join(dirname(packageFile), path);
  } catch (cause) {
    throw missing(record, isOurs, record.file, cause);
  }
}

interface Pinned {
  readonly record: ModelRecord;
  readonly isOurs: boolean;
  readonly name: string;
}

async function readPinned(
  path: string,
  sha256: string,
  { record, isOurs, name }: Pinned,
): Promise<Uint8Array> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    throw missing(record, isOurs, name, cause);
  }
  const actual = sha256Of(bytes);
  if (actual !== sha256 || bytes.byteLength > MAX_MODEL_BYTES) {
    const advice = isOurs
      ? `run "${buildCommand(record)}"`
      : `fetch it again, or pin ${actual} in registry.json if it was changed on purpose`;
    throw new HuishiError(
      "MODEL_CORRUPT",
      `The model file ${name} is not the one that the registry pins: ${advice}.`,
      { details: { model: record.id, expected: sha256, actual } },
    );
  }
  return bytes;
}

function missing(record: ModelRecord, isOurs: boolean, name: string, cause: unknown): HuishiError {
  const advice = isOurs
    ? `run "${buildCommand(record)}"`
    : "put it where the entry in registry.json says (relative to that file)";
  return new HuishiError("MODEL_MISSING", `The model file ${name} is not there: ${advice}.`, {
    cause,
    details: { model: record.id },
  });
}

function buildCommand({ file }: ModelRecord): string {
  return file.startsWith("npm:") ? "npm ci" : "npm run build:model";
}

export function sha256Of(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function firstProblem(schema: TSchema, value: unknown): string {
  const [error] = Value.Errors(schema, value);
  return error ? `${error.instancePath || "/"} ${error.message}` : "it does not fit its schema";
}

function invalidRegistry(path: string, problem: string, cause?: unknown, model?: string): HuishiError {
  const entry = model === undefined ? "" : ` (model "${model}")`;
  return new HuishiError(
    "MODEL_REGISTRY_INVALID",
    `The model registry ${path}${entry} cannot be used: ${problem}. Correct it (services/analytics/models/README.md says what an entry holds).`,
    { ...(cause !== undefined && { cause }), details: { registry: path, ...(model && { model }) } },
  );
}

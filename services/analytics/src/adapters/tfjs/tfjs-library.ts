/**
 * TensorFlow.js, imported when it is first asked for: natively (`node`, the package @tensorflow/tfjs-node, which an
 * operator installs, for it downloads its library at install) or as WebAssembly (`wasm`, comes with npm).
 */
import { createRequire } from "node:module";
import { dirname, join, sep } from "node:path";
// Types alone: the packages are imported when they are wanted.
import type * as converter from "@tensorflow/tfjs-converter";
import type * as core from "@tensorflow/tfjs-core";
import type { io, NamedTensorMap, Tensor } from "@tensorflow/tfjs-core";
import { HuishiError, messageOf } from "@huishi/kernel";

/** What we use of it; the same of both backends. */
export interface TfjsLibrary {
  readonly backend: TfjsBackend;
  loadGraphModel(source: io.IOHandler): Promise<converter.GraphModel>;
  tensor(values: Uint8Array | Float32Array, shape: number[], type: "float32" | "int32"): Tensor;
  dispose(tensors: NamedTensorMap | readonly Tensor[]): void;
}

export const TFJS_BACKENDS = ["node", "wasm"] as const;
type TfjsBackend = (typeof TFJS_BACKENDS)[number];

/** A function, so that neither compiler nor bundler takes the name for a dependency. */
const nativePackage = (): string => "@tensorflow/tfjs-node";

let loaded: { readonly backend: TfjsBackend; readonly library: Promise<TfjsLibrary> } | null = null;

/**
 * @param wanted in order of preference; the next one is taken only when the one before is not present
 * @throws HuishiError EXECUTION_PROVIDER_MISSING
 */
export async function loadTfjs(wanted: readonly string[]): Promise<TfjsLibrary> {
  const reasons: string[] = [];
  for (const name of wanted) {
    const backend = TFJS_BACKENDS.find((known) => known === name);
    if (!backend) {
      reasons.push(`${name} is unknown`);
      continue;
    }
    try {
      return await libraryOn(backend);
    } catch (error) {
      reasons.push(`${name}: ${messageOf(error)}`);
    }
  }
  const present = await presentBackends();
  throw new HuishiError(
    "EXECUTION_PROVIDER_MISSING",
    `TensorFlow.js cannot use ${wanted.join(" or ")} here (${reasons.join("; ")}); present: ${present.join(", ") || "none"}. Install it or name another one (HUISHI_EXECUTION_PROVIDERS, "node,wasm" falls back).`,
    { details: { wanted, present } },
  );
}

async function presentBackends(): Promise<string[]> {
  const present: string[] = [];
  for (const backend of TFJS_BACKENDS) {
    try {
      await libraryOn(backend);
      present.push(backend);
    } catch {
      // Not here.
    }
  }
  return present;
}

/** One backend a process: TensorFlow.js keeps it globally. */
function libraryOn(backend: TfjsBackend): Promise<TfjsLibrary> {
  if (loaded?.backend === backend) return loaded.library;
  const library = backend === "node" ? loadNative() : loadWasm();
  loaded = { backend, library };
  library.catch(() => {
    if (loaded?.library === library) loaded = null;
  });
  return library;
}

type Core = typeof core;
type Converter = typeof converter;

async function loadNative(): Promise<TfjsLibrary> {
  const module = (await import(nativePackage())) as { default?: unknown };
  const native = (module.default ?? module) as Partial<Core & Converter>;
  // Another package may stand under its name, so that its download is never tried.
  if (typeof native.loadGraphModel !== "function" || typeof native.setBackend !== "function")
    throw new Error("@tensorflow/tfjs-node is not installed");
  const library = native as Core & Converter;
  if (!(await library.setBackend("tensorflow"))) throw new Error("its native library cannot be loaded");
  return libraryOf("node", library, library);
}

async function loadWasm(): Promise<TfjsLibrary> {
  const tensors = await import("@tensorflow/tfjs-core");
  const graphs = await import("@tensorflow/tfjs-converter");
  const wasm = await import("@tensorflow/tfjs-backend-wasm");
  const packageFile = createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm/package.json");
  // Beside the package's own code, never from the network.
  wasm.setWasmPaths(`${join(dirname(packageFile), "dist")}${sep}`);
  wasm.setThreadsCount(1);
  if (!(await tensors.setBackend("wasm"))) throw new Error("its WebAssembly cannot be started");
  await tensors.ready();
  return libraryOf("wasm", tensors, graphs);
}

function libraryOf(backend: TfjsBackend, tensors: Core, graphs: Converter): TfjsLibrary {
  return {
    backend,
    loadGraphModel: (source) => graphs.loadGraphModel(source),
    tensor: (values, shape, type) => tensors.tensor(values, shape, type),
    dispose: (list) => tensors.dispose(list as Tensor[]),
  };
}

/** Which of onnxruntime's execution providers can be used here. */
import { InferenceSession, listSupportedBackends } from "onnxruntime-node";
import { OnnxGraph } from "../../model-build/onnx-writer.ts";

/** Names as onnxruntime-node knows them. Which of them work depends on its build and on the machine. */
const KNOWN_PROVIDERS = ["cpu", "cuda", "tensorrt", "openvino", "dml", "coreml", "webgpu"] as const;

/**
 * Session options for one inference process among several: one thread each (several single-thread processes beat one
 * with many threads), and no spinning, which burns as much CPU again when the cores are busy.
 */
export const sessionOptions: InferenceSession.SessionOptions = {
  executionProviders: ["cpu"],
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: "sequential",
  graphOptimizationLevel: "all",
  logSeverityLevel: 3,
  extra: { session: { intra_op: { allow_spinning: "0" }, inter_op: { allow_spinning: "0" } } },
};

/** Those that really take a model here: tried, because a name in the build says nothing of drivers and libraries. */
export async function presentProviders(): Promise<string[]> {
  const names = new Set<string>([...KNOWN_PROVIDERS, ...listSupportedBackends().map(({ name }) => name)]);
  const present: string[] = [];
  for (const name of names) if (await isProviderPresent(name)) present.push(name);
  return present;
}

export async function isProviderPresent(name: string): Promise<boolean> {
  if (name === "cpu") return true;
  try {
    const session = await InferenceSession.create(smallestModel(), {
      ...sessionOptions,
      executionProviders: [name],
      logSeverityLevel: 4,
    });
    await session.release();
    return true;
  } catch {
    return false;
  }
}

function smallestModel(): Uint8Array {
  const graph = new OnnxGraph("probe");
  graph.input({ name: "in", type: "float32", dims: [1] });
  graph.node("Abs", ["in"], "out");
  graph.output({ name: "out", type: "float32", dims: [1] });
  return graph.serialise();
}

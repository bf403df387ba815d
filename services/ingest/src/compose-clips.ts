// Clips of the recordings at the agents: asking for them, and taking them in.
import type { Runnable } from "@huishi/kernel";
import type { Pool } from "@huishi/platform";
import { ClipFolder } from "./adapters/clip-files/clip-files.ts";
import { PostgresClipBook } from "./adapters/postgres/postgres-clip-book.ts";
import { ClipIntake } from "./application/clip-intake.ts";
import { ClipDispatch } from "./application/clip-requests.ts";

export interface ComposedClips {
  readonly runnables: readonly Runnable[];
  accept(agentId: string, transferId: string, topic: string, payload: Uint8Array): Promise<void>;
}

/** Without a folder nothing is asked for, and what comes is dropped. */
export function composeClips(options: {
  readonly pool: Pool;
  readonly clipsDir: string | undefined;
  readonly onFault: (what: string) => (fault: unknown) => void;
}): ComposedClips {
  const { pool, clipsDir, onFault } = options;
  if (clipsDir === undefined) {
    const drop = onFault("an upload came, and no folder for clips is configured");
    return { runnables: [], accept: async (agentId) => drop({ agentId }) };
  }
  const book = new PostgresClipBook(pool);
  const intake = new ClipIntake({
    book,
    files: new ClipFolder(clipsDir),
    steadyMs: () => performance.now(),
    onFault,
  });
  return {
    runnables: [new ClipDispatch({ requests: book, onRequested: (clipId) => intake.begin(clipId) })],
    accept: (agentId, transferId, topic, payload) => intake.accept(agentId, transferId, topic, payload),
  };
}

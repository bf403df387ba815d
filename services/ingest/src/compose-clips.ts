// What agents send on request: clips of their recordings, logs, snapshots.
import { type Runnable, systemClock } from "@huishi/kernel";
import type { Pool } from "@huishi/platform";
import { UploadFolder } from "./adapters/clip-files/clip-files.ts";
import { PostgresClipBook } from "./adapters/postgres/postgres-clip-book.ts";
import { PostgresClipRoomBook } from "./adapters/postgres/postgres-clip-room-book.ts";
import { PostgresUploadBook } from "./adapters/postgres/postgres-upload-book.ts";
import { AgentUploads } from "./application/agent-uploads.ts";
import { ClipUploads } from "./application/clip-intake.ts";
import { ClipRoom } from "./application/clip-room.ts";
import { ClipDispatch } from "./application/clip-requests.ts";
import { UploadIntake } from "./application/upload-intake.ts";

/** The clips' bound where none is configured. */
const MAX_BYTES = 64 * 1024 ** 3;

export interface ComposedClips {
  /** null: nothing is kept. */
  readonly room: ClipRoom | null;
  readonly runnables: readonly Runnable[];
  accept(agentId: string, transferId: string, topic: string, payload: Uint8Array): Promise<void>;
}

/** Without a folder nothing is asked for, and what comes is dropped. */
export function composeClips(options: {
  readonly pool: Pool;
  readonly clipsDir: string | undefined;
  /** Default 64 GiB. */
  readonly clipsMaxBytes: number | undefined;
  readonly onFault: (what: string) => (fault: unknown) => void;
}): ComposedClips {
  const { pool, clipsDir, onFault } = options;
  if (clipsDir === undefined) {
    const drop = onFault("an upload came, and no folder for clips is configured");
    return { room: null, runnables: [], accept: async (agentId) => drop({ agentId }) };
  }
  const book = new PostgresClipBook(pool);
  const files = new UploadFolder(clipsDir, "clip");
  const room = new ClipRoom({
    book: new PostgresClipRoomBook(pool),
    files,
    maxBytes: options.clipsMaxBytes ?? MAX_BYTES,
    wallMs: () => systemClock.nowMs(),
  });
  const clips = new ClipUploads({ book, files, room });
  const uploads = new AgentUploads({
    book: new PostgresUploadBook(pool),
    files: new UploadFolder(clipsDir, "upload"),
  });
  const intake = new UploadIntake({
    destinations: [clips, uploads],
    steadyMs: () => performance.now(),
    onFault,
    deadLetter: (letter) => book.deadLetter(letter),
  });
  return {
    room,
    runnables: [
      new ClipDispatch({
        requests: book,
        onRequested: (clipId) => intake.begin(clips, clipId),
        mayRequest: () => !room.isFull,
      }),
      room,
      uploads,
    ],
    accept: (agentId, transferId, topic, payload) => intake.accept(agentId, transferId, topic, payload),
  };
}

import type { Logger } from "../../logger.ts";

/** Where the configuration's files go: put aside while the database is loaded, and into their places once it is. */
export interface RestoredFiles {
  stage(path: string, content: AsyncIterable<Buffer>): Promise<void>;
  publish(): Promise<void>;
  discard(): Promise<void>;
}

export interface RestoreProgress {
  readonly phase: "verify" | "load" | "compare" | "finish";
  readonly table: string | null;
  /** 0 to 1 of this phase. */
  readonly fraction: number;
  readonly bytes: number;
}

export interface RestoreOptions {
  /** A secret. */
  readonly databaseUrl: string;
  readonly file: string;
  readonly passphrase: string | null;
  readonly files: RestoredFiles;
  /** Rows that are there are removed, in the same transaction that loads the others. Default false: they are refused. */
  readonly replace?: boolean;
  /** Tables of the archive that no migration makes (somebody's own) are passed over. Default false: they are refused. */
  readonly skipForeignTables?: boolean;
  readonly logger: Logger;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: RestoreProgress) => void;
  /** For tests: other migrations than those of this version. */
  readonly migrationsFolder?: string;
}

// The database side of ingest: pools, the committer of events, and what keeps the store in shape.
import { type Runnable, supervise, systemClock } from "@huishi/kernel";
import { createPool, databaseHealth, type Logger, type PartHealth, type Pool } from "@huishi/platform";
import { LatestValues } from "./adapters/postgres/latest-values.ts";
import { NumberBook } from "./adapters/postgres/number-book.ts";
import { PostgresDeadLetterBox } from "./adapters/postgres/postgres-dead-letter-box.ts";
import { PostgresEventStore } from "./adapters/postgres/postgres-event-store.ts";
import { PostgresStoreKeeping } from "./adapters/postgres/postgres-store-keeping.ts";
import { DeadLetterReplay } from "./application/dead-letter-replay.ts";
import { type CommitObserver, GroupCommitter } from "./application/group-committer.ts";
import { StoreUpkeep } from "./application/store-upkeep.ts";

const COMMIT_LANES = 3;
/** Events that wait longer for their commit than this make the service not ready. */
const MAX_WAIT_MS = 10_000;
/** Rolling up hours of rows, or deleting a day of them, takes longer than anything that people wait for. */
const UPKEEP_STATEMENT_MS = 600_000;
const BACKGROUND_RETRY = { baseDelayMs: 500, maxDelayMs: 15_000, healthyAfterMs: 30_000 };

export interface StoreOptions {
  readonly databaseUrl: string;
  readonly logger: Logger;
  readonly maxQueuedBytes?: number;
  readonly observe: CommitObserver;
  readonly onCameras: (owners: ReadonlyMap<string, string>) => void;
  readonly onUpkeep: (task: string, seconds: number) => void;
  /** Logs a fault, repeats summarised. */
  readonly onFault: (what: string) => (fault: unknown) => void;
}

export interface ComposedStore {
  readonly committer: GroupCommitter;
  /** For short questions. */
  readonly askPool: Pool;
  /** Begins upkeep, replay of dead letters, latest values, and what else runs beside them. */
  keep(more?: readonly Runnable[]): void;
  health(): Promise<readonly PartHealth[]>;
  close(): Promise<void>;
}

export function composeStore(options: StoreOptions): ComposedStore {
  const { databaseUrl, logger, onFault } = options;
  const pool = (name: string, max: number, statementTimeoutMs?: number): Pool =>
    createPool(databaseUrl, {
      max,
      applicationName: name,
      logger,
      ...(statementTimeoutMs !== undefined && { statementTimeoutMs }),
    });
  const commitPool = pool("huishi-ingest-commit", COMMIT_LANES);
  const askPool = pool("huishi-ingest", 2);
  const keepPool = pool("huishi-ingest-keep", 2, UPKEEP_STATEMENT_MS);

  const book = new NumberBook(askPool);
  const latest = new LatestValues(askPool, onFault("the latest sensor values could not be written"));
  const store = new PostgresEventStore({
    pool: commitPool,
    book,
    onCameras: options.onCameras,
    onObservations: (rows) => latest.note(rows),
  });
  const committer = new GroupCommitter({
    store,
    lanes: COMMIT_LANES,
    observe: options.observe,
    ...(options.maxQueuedBytes !== undefined && { maxQueuedBytes: options.maxQueuedBytes }),
  });
  const upkeep = new StoreUpkeep({
    keeping: new PostgresStoreKeeping(keepPool),
    onFault: (task, fault) => onFault(`upkeep of the store: ${task} failed`)(fault),
    onDone: options.onUpkeep,
    onRetention: (result) => logger.info(result, "retention enforced"),
    wallMs: () => systemClock.nowMs(),
    steadyMs: () => performance.now(),
  });
  const replay = new DeadLetterReplay(new PostgresDeadLetterBox(askPool), store, systemClock);

  const stop = new AbortController();
  let background: Promise<unknown> = Promise.resolve();
  const supervised = (runnable: Runnable): Promise<void> =>
    supervise(runnable, stop.signal, {
      ...BACKGROUND_RETRY,
      onFailure: ({ name, error }) => onFault(`${name} failed and is started again`)(error),
    });
  return {
    committer,
    askPool,
    keep(more = []) {
      const runnables = [replay, upkeep, ...more].map(supervised);
      background = Promise.all([latest.run(stop.signal), ...runnables]);
    },
    health: async () => [
      { ...(await databaseHealth(askPool)), name: "ingest database" },
      queueHealth(committer),
    ],
    async close() {
      await committer.close();
      stop.abort(new Error("ingest stops"));
      await background;
      await Promise.all([commitPool.end(), askPool.end(), keepPool.end()]);
    },
  };
}

function queueHealth(committer: GroupCommitter): PartHealth {
  const waitedS = Math.round(committer.waitingMs / 1000);
  const ok = !committer.isFull && committer.waitingMs < MAX_WAIT_MS;
  const detail = `${committer.queuedRows} events wait, the oldest for ${waitedS} s`;
  return { name: "ingest queue", ok, detail };
}

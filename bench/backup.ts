// How fast a backup is made, read through and restored: `npm run bench:backup [-- ROWS]`. Two embedded servers, or
// FROM_URL and TO_URL (superusers' addresses of servers on which a database is made and dropped again).
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createBackup,
  createLogger,
  createPool,
  EmbeddedPostgres,
  migrate,
  type RestoredFiles,
  restoreBackup,
  verifyBackup,
} from "@huishi/platform";

const rows = Number(process.argv[2] ?? 1_000_000);
const logger = createLogger({ name: "bench", level: "error" });
const folder = await mkdtemp(join(tmpdir(), "huishi-bench-backup-"));
const database = `huishi_bench_backup_${process.pid}`;
const nothing = async (): Promise<void> => {};
const noFiles: RestoredFiles = { stage: nothing, publish: nothing, discard: nothing };

async function ask(databaseUrl: string, sql: string): Promise<void> {
  const pool = createPool(databaseUrl, { max: 1, statementTimeoutMs: 600_000 });
  try {
    await pool.query(sql);
  } finally {
    await pool.end();
  }
}

interface Side {
  readonly url: string;
  close(): Promise<void>;
}

async function side(name: string, adminUrl: string | undefined): Promise<Side> {
  if (adminUrl === undefined) {
    const server = await EmbeddedPostgres.start({ dataDir: join(folder, name), logger });
    return { url: server.databaseUrl, close: () => server.stop() };
  }
  await ask(adminUrl, `CREATE DATABASE ${database}`);
  const url = new URL(adminUrl);
  url.pathname = `/${database}`;
  return { url: url.href, close: () => ask(adminUrl, `DROP DATABASE ${database} WITH (FORCE)`) };
}

/** Seconds that the work took, and how many MiB the process' memory grew by at most meanwhile. */
async function measure<T>(work: () => Promise<T>): Promise<{ result: T; seconds: number; grownMiB: number }> {
  const before = process.memoryUsage().rss;
  let peak = before;
  const timer = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 20);
  const startedMs = performance.now();
  try {
    const result = await work();
    return { result, seconds: (performance.now() - startedMs) / 1000, grownMiB: (peak - before) / 2 ** 20 };
  } finally {
    clearInterval(timer);
  }
}

const closers: (() => Promise<void>)[] = [() => rm(folder, { recursive: true, force: true })];
try {
  const from = await side("from", process.env["FROM_URL"]);
  closers.push(from.close);
  const to = await side("to", process.env["TO_URL"]);
  closers.push(to.close);
  await migrate(from.url, logger);
  await ask(
    from.url,
    `INSERT INTO detection (captured_at, camera_no, track_id, class_code, score, x, y, w, h)
     SELECT now() - i % 500000 * interval '150 ms', i % 500, i / 20, i % 10, i * 7919 % 10000, i * 104729 % 10000,
            i * 1299709 % 10000, i * 31 % 3000, i * 37 % 3000
     FROM generate_series(1::bigint, ${rows}) AS i`,
  );
  for (const passphrase of [null, "a passphrase for the bench"]) {
    const file = join(folder, passphrase === null ? "plain.backup" : "sealed.backup");
    const archive = { file, passphrase };
    const dump = await measure(() =>
      createBackup({
        ...archive,
        databaseUrl: from.url,
        files: [],
        filesLeftOut: [],
        productVersion: "bench",
      }),
    );
    const verify = await measure(() => verifyBackup(archive));
    const restore = await measure(() =>
      restoreBackup({ ...archive, databaseUrl: to.url, files: noFiles, logger, replace: true }),
    );
    const { manifest, archiveBytes } = dump.result;
    const megabytes = manifest.tables.reduce((sum, table) => sum + table.bytes, 0) / 1e6;
    console.log(
      `${passphrase === null ? "in the clear" : "encrypted"}: ${rows} rows, ${megabytes.toFixed(1)} MB of COPY text, archive ${(archiveBytes / 1e6).toFixed(1)} MB (${manifest.server.mode}, PostgreSQL ${manifest.server.version})`,
    );
    for (const [name, { seconds, grownMiB }] of Object.entries({ dump, verify, restore })) {
      console.log(
        `  ${name}: ${seconds.toFixed(2)} s, ${(megabytes / seconds).toFixed(1)} MB/s, ${Math.round(rows / seconds)} rows/s, memory +${grownMiB.toFixed(0)} MiB`,
      );
    }
  }
} finally {
  for (const close of closers.reverse()) await close();
}

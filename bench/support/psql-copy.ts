import { spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import path from "node:path";
import { BinaryCopyEncoder, type CopyColumn, type CopyRow } from "@huishi/platform";

/** Writes rows as COPY ... (FORMAT binary) files, one a connection: what psql reads. Rows go to them in turn. */
export async function writeCopyFiles(
  folder: string,
  { columns, connections }: { columns: readonly CopyColumn[]; connections: number },
  rows: readonly CopyRow[],
): Promise<string[]> {
  return Promise.all(
    Array.from({ length: connections }, async (_, lane) => {
      const file = path.join(folder, `${lane}.copy`);
      const stream = createWriteStream(file);
      const encoder = new BinaryCopyEncoder(columns);
      encoder.begin();
      for (let at = lane; at < rows.length; at += connections) encoder.addRow(rows[at] as CopyRow);
      encoder.finish();
      // Without what frames it on the wire: the head of CopyData before, CopyDone behind.
      stream.end(encoder.takeChunk().subarray(5, -5));
      await once(stream, "finish");
      return file;
    }),
  );
}

/** Copies the files by as many psql processes at once, each file in one transaction. */
export async function psqlCopy(
  databaseUrl: string,
  { table, columns }: { table: string; columns: readonly CopyColumn[] },
  files: readonly string[],
): Promise<void> {
  const names = columns.map(({ name }) => name).join(", ");
  await Promise.all(
    files.map(async (file) => {
      const command = `\\copy ${table} (${names}) FROM '${file}' WITH (FORMAT binary)`;
      const args = ["--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--command", command];
      // The address holds the password: it goes by the environment.
      const child = spawn("psql", args, {
        stdio: ["ignore", "ignore", "inherit"],
        env: { ...process.env, ...connectionEnvironment(databaseUrl) },
      });
      const [code] = (await once(child, "exit")) as [number];
      if (code !== 0) throw new Error(`psql ended with ${code}`);
    }),
  );
}

/** libpq's environment variables (PostgreSQL documentation §34.15). */
function connectionEnvironment(databaseUrl: string): NodeJS.ProcessEnv {
  const url = new URL(databaseUrl);
  return {
    PGHOST: url.hostname,
    PGPORT: url.port || "5432",
    PGUSER: decodeURIComponent(url.username),
    PGPASSWORD: decodeURIComponent(url.password),
    PGDATABASE: url.pathname.slice(1),
  };
}

import type { TimeRange } from "@huishi/contracts";
import type { Pool } from "@huishi/platform";
import type { Question } from "../adapters/postgres/queries/question.ts";

interface PlanNode {
  readonly "Node Type": string;
  readonly "Relation Name"?: string;
  readonly "Actual Loops"?: number;
  readonly "Function Name"?: string;
  readonly "Rows Removed by Filter"?: number;
  readonly Filter?: string;
  readonly Plans?: readonly PlanNode[];
}

/** A chunk or partition and the series (or table of sums) that it belongs to. */
interface Chunk {
  readonly series: string;
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Plan {
  readonly nodes: readonly PlanNode[];
  readonly text: string;
}

/** What segments compressed chunks: a condition on it finds their segments, whatever the scan is called. */
const SEGMENTS = /\b(camera_no|datastream_no|source_no|zone_no|rule_id)\b/;

/** The plan of the very statement, run with the very values. */
export async function explain(pool: Pool, { text, values }: Question): Promise<Plan> {
  const explained = await pool.query<{ "QUERY PLAN": [{ Plan: PlanNode }] }>(
    `EXPLAIN (ANALYZE, FORMAT JSON, TIMING OFF) ${text}`,
    [...values],
  );
  const root = explained.rows[0]?.["QUERY PLAN"][0].Plan;
  if (root === undefined) throw new Error("no plan came back");
  return { nodes: [...walk(root)], text: JSON.stringify(root, null, 1) };
}

function* walk(node: PlanNode): Generator<PlanNode> {
  yield node;
  for (const child of node.Plans ?? []) yield* walk(child);
}

/** Chunks and partitions by the name of their table, those of sums too. */
export async function readChunks(pool: Pool): Promise<Map<string, Chunk>> {
  const partitions = `SELECT series, name, from_at, to_at FROM series_partition
    UNION ALL SELECT name, name || '_default', '-infinity', 'infinity' FROM series`;
  const chunks = `SELECT hypertable_name AS series, chunk_name AS name, range_start AS from_at, range_end AS to_at
    FROM timescaledb_information.chunks`;
  const mode = await pool.query<{ mode: string }>("SELECT huishi_store.mode() AS mode");
  const found = await pool.query<{
    series: string;
    name: string;
    from_at: Date | number;
    to_at: Date | number;
  }>(mode.rows[0]?.mode === "plain" ? partitions : chunks);
  const timeOf = (at: Date | number): number => (at instanceof Date ? at.getTime() : at);
  return new Map(
    found.rows.map((row) => [
      row.name,
      { series: row.series, fromMs: timeOf(row.from_at), toMs: timeOf(row.to_at) },
    ]),
  );
}

/**
 * What is wrong with a plan: a sequential scan that threw rows away in more than one chunk of the same series; a chunk
 * outside of the range that was looked into; a function that the planner could not look into.
 *
 * @param range what the question may look at, slack included
 */
export function findFaults(plan: Plan, chunks: ReadonlyMap<string, Chunk>, range: TimeRange): string[] {
  const ran = plan.nodes.filter((node) => (node["Actual Loops"] ?? 0) > 0);
  const faults = ran
    .filter((node) => (node["Function Name"] ?? "unnest") !== "unnest")
    .map((node) => `function ${node["Function Name"]} was not inlined`);
  for (const node of ran) {
    const chunk = chunks.get(node["Relation Name"] ?? "");
    if (chunk && (chunk.fromMs >= range.toMs || chunk.toMs <= range.fromMs)) {
      faults.push(`${node["Relation Name"]} lies outside of the range`);
    }
  }
  return [...faults, ...sequentialFaults(ran, chunks)];
}

function sequentialFaults(ran: readonly PlanNode[], chunks: ReadonlyMap<string, Chunk>): string[] {
  const scanned = new Map<string, Set<string>>();
  for (const node of ran.filter(isSequential)) {
    const name = node["Relation Name"] ?? "";
    const series = chunks.get(name)?.series ?? /^(?:compress|_hyper).*?(?=_\d+_chunk$)/.exec(name)?.[0];
    if (series !== undefined) scanned.set(series, (scanned.get(series) ?? new Set()).add(name));
  }
  return [...scanned]
    .filter(([, names]) => names.size > 1)
    .map(
      ([series, names]) =>
        `sequential scans over ${names.size} chunks of ${series}: ${[...names].join(", ")}`,
    );
}

/** A chunk that is read whole because all of it was asked for, or that is empty, is read best from its beginning. */
function isSequential(node: PlanNode): boolean {
  if (!node["Node Type"].endsWith("Seq Scan")) return false;
  const isCompressed = node["Relation Name"]?.startsWith("compress_hyper") ?? false;
  if (isCompressed) return !SEGMENTS.test(node.Filter ?? "");
  return (node["Rows Removed by Filter"] ?? 0) > 0;
}

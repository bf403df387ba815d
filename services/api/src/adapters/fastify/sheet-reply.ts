import { Readable } from "node:stream";
import type { FastifyReply } from "fastify";
import { Type } from "typebox";
import type { NameOf, Sheet } from "../../domain/statistics-sheets.ts";

/** The response of a route that also answers as a sheet. */
export const withSheet = <T extends object>(schema: T) => ({
  description: "JSON, or a sheet (UTF-8) of all pages where `Accept` prefers `text/csv`",
  content: {
    "application/json": { schema },
    "text/csv": { schema: Type.Unsafe<Readable>({ type: "string" }) },
  },
});

/** Whether a sheet is preferred to JSON (RFC 9110 §12.5.1; of two that weigh the same the one that is named exactly). */
export function prefersSheet(accept: string | undefined): boolean {
  const weights = new Map(
    (accept ?? "").split(",").map((part) => {
      const [type = "", ...parameters] = part.split(";").map((text) => text.trim().toLowerCase());
      const weight = Number(parameters.find((text) => text.startsWith("q="))?.slice(2) ?? 1);
      return [type, Number.isFinite(weight) ? weight : 0];
    }),
  );
  const sheet = weights.get("text/csv") ?? 0;
  return sheet > 0 && sheet >= (weights.get("application/json") ?? 0);
}

export interface SheetPage<Row> {
  readonly rows: readonly Row[];
  readonly next: string | null;
  /** Of the ids in these rows; absent: the rows name nothing. */
  readonly names?: ReadonlyMap<string, string>;
}

/**
 * Sends all pages as one sheet, read one at a time as they are taken. What is wrong with the question is answered as usual: the
 * first page is read before anything is sent. A later page that fails ends the transfer before its end.
 */
export async function sendSheet<Row>(
  reply: FastifyReply,
  name: string,
  { sheet, read }: { sheet: Sheet<Row>; read: (after: string | null) => Promise<SheetPage<Row>> },
): Promise<FastifyReply> {
  const first = await read(null);
  async function* lines(): AsyncGenerator<string, void, undefined> {
    yield sheet.head;
    for (let page = first; ; page = await read(page.next)) {
      const { names } = page;
      const nameOf: NameOf = (id) => (id === null ? null : (names?.get(id) ?? null));
      yield page.rows.map((row) => sheet.line(row, nameOf)).join("");
      if (page.next === null) return;
    }
  }
  void reply
    .type("text/csv; charset=utf-8")
    .header("content-disposition", `attachment; filename="${name}.csv"`)
    .header("vary", "accept");
  return reply.send(Readable.from(lines()));
}

// The library's `parseSOAPString` in slices: one answer never holds the event loop up for longer than a slice.
import { setImmediate } from "node:timers/promises";
import { Parser } from "xml2js";
import { at, listOf, textOf } from "./foreign-tree.ts";

/** Some 4 ms of the parser at the dearest. */
const SLICE_CHARACTERS = 16 * 1024;

export interface SoapBody {
  /** Bodies of the envelope, as the library's calls read them: elements as lists, names in camel case, no prefixes. */
  readonly body: unknown;
  /** The answer without namespace declarations. */
  readonly xml: string;
  /** The fault that the device tells, or why it is no SOAP envelope; null when all is well. */
  readonly error: Error | null;
}

/**
 * Give it only what `xmlFault` lets through: the pattern for declarations is quadratic without its bounds.
 *
 * @param between what is waited for between two slices
 */
export async function parseSoap(
  answer: string,
  between: () => Promise<unknown> = () => setImmediate(),
): Promise<SoapBody> {
  const xml = answer.replace(/xmlns([^=]*?)=(".*?")/g, "");
  const parser = new Parser({ tagNameProcessors: [plainName] });
  // The first of the two counts: what follows the envelope is not heeded, and a tree of what has a fault is none.
  const outcome: { tree?: unknown; fault?: Error } = {};
  const isOver = (): boolean => "tree" in outcome || "fault" in outcome;
  parser.on("error", (fault: Error) => isOver() || (outcome.fault = fault));
  parser.on("end", (tree: unknown) => isOver() || (outcome.tree = tree));
  for (let from = 0; from < xml.length && !isOver(); from += SLICE_CHARACTERS) {
    if (from > 0) await between();
    try {
      parser.saxParser.write(xml.slice(from, from + SLICE_CHARACTERS));
    } catch (error) {
      if (!isOver()) outcome.fault = asError(error);
    }
  }
  const body = at(outcome.tree, "envelope", "body");
  if (body === undefined)
    return { body, xml, error: outcome.fault ?? new Error("Wrong ONVIF SOAP response") };
  const told = listOf(at(listOf(body)[0], "fault"))[0];
  return { body, xml, error: told === undefined ? null : new Error(`ONVIF SOAP Fault: ${reasonOf(told)}`) };
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error("no XML");
}

/** Without its prefix, its first letter small, unless it begins with an abbreviation. */
function plainName(name: string): string {
  const plain = name.slice(name.lastIndexOf(":") + 1);
  const second = plain.charAt(1);
  return second !== "" && second.toUpperCase() !== second
    ? plain.charAt(0).toLowerCase() + plain.slice(1)
    : plain;
}

function reasonOf(fault: unknown): string {
  const first = (tree: unknown, name: string): unknown => listOf(at(tree, name))[0];
  const text = first(first(fault, "reason"), "text");
  const reason = textOf(at(text, "_")) ?? textOf(text) ?? JSON.stringify(first(fault, "code") ?? "");
  const detail = textOf(first(first(fault, "detail"), "text")) ?? "";
  return (reason + detail).slice(0, 1_000);
}

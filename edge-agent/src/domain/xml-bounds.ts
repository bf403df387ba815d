// A cheap look at XML of a device before a parser sees it: linear in its length, keeps nothing.

/**
 * What an honest answer of a device stays within: a recorder's 64 profiles have some 7,000 elements. The parser behind
 * takes about 4 us an element and 1.2 us an attribute, and it does not let go of the event loop.
 */
export const XML_BOUNDS = {
  characters: 512 * 1024,
  depth: 64,
  elements: 10_000,
  attributes: 16_000,
  tagCharacters: 8_192,
  /** Of one run of text. */
  textCharacters: 64 * 1024,
} as const;

/** A namespace declaration longer than this is none; the library's pattern for them is quadratic without a bound. */
const DECLARATION_CHARACTERS = 400;

/** What the look has found. */
export interface XmlLook {
  /** Why the text is not given to a parser; null when it may be. */
  readonly fault: string | null;
  /** Characters that were looked at until that was known. */
  readonly scanned: number;
  readonly depth: number;
  readonly elements: number;
  readonly attributes: number;
}

/**
 * Refused are document types and entities (XML bombs), what is longer, deeper or has more elements or attributes than a
 * device would send, and tags or declarations without an end. It stops at the first fault. It does not check that the
 * rest is well-formed: that is the parser's work.
 */
export function lookAtXml(xml: string): XmlLook {
  const seen = { depth: 0, elements: 0, attributes: 0 };
  let open = 0;
  let at = 0;
  const look = (fault: string | null): XmlLook => ({ ...seen, fault, scanned: at });
  if (xml.length > XML_BOUNDS.characters) return look("too long");
  for (;;) {
    const next = xml.indexOf("<", at);
    const text = (next < 0 ? xml.length : next) - at;
    at += text;
    if (text > XML_BOUNDS.textCharacters) return look("a text that is too long");
    if (next < 0) break;
    const second = xml[at + 1];
    if (second === "!" || second === "?") {
      const end = behindMarkup(xml, at);
      if (end === null) return look("a document type, or markup without an end");
      at = end;
      continue;
    }
    const tag = readTag(xml, at);
    at = tag.behind;
    if (!tag.hasEnd) return look("a tag without an end");
    if (second === "/") open -= 1;
    else {
      seen.elements += 1;
      seen.attributes += tag.attributes;
      if (!tag.isEmpty) open += 1;
    }
    seen.depth = Math.max(seen.depth, open);
    if (open > XML_BOUNDS.depth) return look("too deeply nested");
    if (seen.elements > XML_BOUNDS.elements) return look("too many elements");
    if (seen.attributes > XML_BOUNDS.attributes) return look("too many attributes");
  }
  return look(hasSoundDeclarations(xml) ? null : "a namespace declaration without an end");
}

/** Why the text is not given to a parser; null when it may be. */
export function xmlFault(xml: string): string | null {
  return lookAtXml(xml).fault;
}

/** Behind a comment, CDATA section or processing instruction; null for a declaration or what has no end. */
function behindMarkup(xml: string, at: number): number | null {
  const kinds = [
    ["<?", "?>"],
    ["<!--", "-->"],
    ["<![CDATA[", "]]>"],
  ] as const;
  const kind = kinds.find(([start]) => xml.startsWith(start, at));
  if (!kind) return null;
  const end = xml.indexOf(kind[1], at + kind[0].length);
  return end < 0 ? null : end + kind[1].length;
}

interface Tag {
  readonly behind: number;
  readonly hasEnd: boolean;
  readonly isEmpty: boolean;
  /** Equals signs outside quotes. */
  readonly attributes: number;
}

/** Reads a tag up to its `>`, quoted ones passed over; without an end where there is none within the bound. */
function readTag(xml: string, from: number): Tag {
  let quote = "";
  let attributes = 0;
  const limit = Math.min(xml.length, from + XML_BOUNDS.tagCharacters);
  let at = from + 1;
  for (; at < limit; at++) {
    const letter = xml[at] as string;
    if (quote !== "") {
      if (letter === quote) quote = "";
    } else if (letter === ">") {
      return { behind: at + 1, hasEnd: true, isEmpty: xml[at - 1] === "/", attributes };
    } else if (letter === '"' || letter === "'") quote = letter;
    else if (letter === "=") attributes += 1;
    else if (letter === "<") break;
  }
  return { behind: at, hasEnd: false, isEmpty: false, attributes };
}

function hasSoundDeclarations(xml: string): boolean {
  for (let at = xml.indexOf("xmlns"); at >= 0; at = xml.indexOf("xmlns", at + 5)) {
    const equals = xml.indexOf("=", at);
    if (equals < 0 || equals - at > DECLARATION_CHARACTERS) return false;
    if (xml[equals + 1] !== '"') continue;
    const end = xml.indexOf('"', equals + 2);
    if (end < 0 || end - equals > DECLARATION_CHARACTERS) return false;
  }
  return true;
}

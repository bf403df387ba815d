// A cheap look at XML of a device before a parser sees it: linear in its length, keeps nothing.

/** What an honest answer of a device stays within. */
export const XML_BOUNDS = {
  characters: 512 * 1024,
  depth: 64,
  elements: 20_000,
  tagCharacters: 8_192,
} as const;

/** A namespace declaration longer than this is none; the library's pattern for them is quadratic without a bound. */
const DECLARATION_CHARACTERS = 400;

/**
 * Why the text is not given to a parser; null when it may be. Refused are document types and entities (XML bombs), what
 * is longer, deeper or has more elements than a device would send, and tags or declarations without an end. It does not
 * check that the rest is well-formed: that is the parser's work.
 */
export function xmlFault(xml: string): string | null {
  if (xml.length > XML_BOUNDS.characters) return "too long";
  let depth = 0;
  let elements = 0;
  for (let at = xml.indexOf("<"); at >= 0; at = xml.indexOf("<", at)) {
    const second = xml[at + 1];
    if (second === "!" || second === "?") {
      const end = behindMarkup(xml, at);
      if (end === null) return "a document type, or markup without an end";
      at = end;
      continue;
    }
    const end = tagEnd(xml, at);
    if (end < 0) return "a tag without an end";
    if (second === "/") depth -= 1;
    else {
      elements += 1;
      if (xml[end - 1] !== "/") depth += 1;
    }
    if (depth > XML_BOUNDS.depth) return "too deeply nested";
    if (elements > XML_BOUNDS.elements) return "too many elements";
    at = end + 1;
  }
  return hasSoundDeclarations(xml) ? null : "a namespace declaration without an end";
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

/** Where the tag's `>` stands, quoted ones passed over; -1 without one within the bound. */
function tagEnd(xml: string, from: number): number {
  let quote = "";
  const limit = Math.min(xml.length, from + XML_BOUNDS.tagCharacters);
  for (let at = from + 1; at < limit; at++) {
    const letter = xml[at] as string;
    if (quote !== "") {
      if (letter === quote) quote = "";
    } else if (letter === ">") return at;
    else if (letter === '"' || letter === "'") quote = letter;
    else if (letter === "<") return -1;
  }
  return -1;
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

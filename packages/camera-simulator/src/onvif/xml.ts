/**
 * A small namespace-aware XML reader (XML 1.0, Namespaces in XML 1.0) for SOAP requests from strangers: no
 * DOCTYPE, so no entities to expand; bounded depth and element count; linear in its input. And a writer's escape.
 */
import { HuishiError } from "@huishi/kernel";

export interface XmlElement {
  /** Local name. */
  readonly name: string;
  /** Namespace URI, empty when none. */
  readonly namespace: string;
  /** Attributes by their local name. */
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  /** All text directly inside, joined. */
  readonly text: string;
}

export class XmlError extends HuishiError {
  constructor(message: string) {
    super("XML_INVALID", message);
  }
}

const MAX_XML_CHARACTERS = 256 * 1024;
const MAX_DEPTH = 32;
const MAX_ELEMENTS = 2000;

const ENTITIES: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

/** Escapes text for element content and for attributes in double quotes. Characters that XML forbids are dropped. */
export function escapeXml(text: string): string {
  return text
    .replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, "")
    .replace(/[<>&"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
}

function unescapeXml(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(/&([^;&]{0,10});?/g, (whole, name: string) => {
    const known = ENTITIES[name];
    if (known !== undefined && whole.endsWith(";")) return known;
    const match = /^#(?:x([0-9a-fA-F]{1,6})|(\d{1,7}))$/.exec(name);
    const code = match ? Number.parseInt(match[1] ?? match[2] ?? "", match[1] ? 16 : 10) : -1;
    if (!whole.endsWith(";") || code < 1 || code > 0x10ffff) throw new XmlError("an unknown entity");
    return String.fromCodePoint(code);
  });
}

interface OpenElement {
  readonly qualifiedName: string;
  readonly scope: ReadonlyMap<string, string>;
  readonly element: {
    name: string;
    namespace: string;
    attributes: Map<string, string>;
    children: XmlElement[];
    text: string;
  };
}

/** Where the markup that starts at `from` ends: the index behind `terminator`. */
function behind(xml: string, terminator: string, from: number): number {
  const at = xml.indexOf(terminator, from);
  if (at < 0) throw new XmlError("it is cut off");
  return at + terminator.length;
}

/** Index of the `>` that closes a tag, quotes respected. */
function endOfTag(xml: string, from: number): number {
  let quote = "";
  for (let at = from; at < xml.length; at++) {
    const letter = xml[at] as string;
    if (quote) quote = letter === quote ? "" : quote;
    else if (letter === '"' || letter === "'") quote = letter;
    else if (letter === ">") return at;
    else if (letter === "<") break;
  }
  throw new XmlError("a tag does not end");
}

function openElement(tag: string, parent: OpenElement | undefined): OpenElement {
  const nameMatch = /^[^\s/>"'=<&]+/.exec(tag);
  if (!nameMatch) throw new XmlError("a tag has no name");
  const qualifiedName = nameMatch[0];
  const scope = new Map(parent?.scope);
  const attributes = new Map<string, string>();
  const rest = tag.slice(qualifiedName.length);
  const pattern = /\s+([^\s=/>"'<&]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/y;
  let consumed = 0;
  for (let match = pattern.exec(rest); match; match = pattern.exec(rest)) {
    consumed = pattern.lastIndex;
    const name = match[1] as string;
    const value = unescapeXml(match[2] ?? match[3] ?? "");
    if (name === "xmlns") scope.set("", value);
    else if (name.startsWith("xmlns:")) scope.set(name.slice(6), value);
    else attributes.set(name.slice(name.indexOf(":") + 1), value);
  }
  if (rest.slice(consumed).trim() !== "") throw new XmlError("a damaged attribute");
  const colon = qualifiedName.indexOf(":");
  const prefix = colon < 0 ? "" : qualifiedName.slice(0, colon);
  const namespace = scope.get(prefix);
  if (namespace === undefined && prefix !== "" && prefix !== "xml")
    throw new XmlError("an unknown namespace prefix");
  return {
    qualifiedName,
    scope,
    element: {
      name: qualifiedName.slice(colon + 1),
      namespace: namespace ?? "",
      attributes,
      children: [],
      text: "",
    },
  };
}

/**
 * Reads one document.
 *
 * @throws XmlError for anything not well-formed, a DOCTYPE, or beyond the bounds
 */
export function parseXml(xml: string): XmlElement {
  if (xml.length > MAX_XML_CHARACTERS) throw new XmlError("the document is too long");
  const open: OpenElement[] = [];
  let root: XmlElement | undefined;
  let count = 0;
  let at = 0;
  while (at < xml.length) {
    const next = xml.indexOf("<", at);
    const text = xml.slice(at, next < 0 ? xml.length : next);
    const current = open.at(-1);
    if (current) current.element.text += unescapeXml(text);
    else if (text.replace(/^\uFEFF/, "").trim() !== "") throw new XmlError("text outside the root element");
    if (next < 0) break;
    if (xml.startsWith("<?", next)) at = behind(xml, "?>", next);
    else if (xml.startsWith("<!--", next)) at = behind(xml, "-->", next + 4);
    else if (xml.startsWith("<![CDATA[", next)) {
      at = behind(xml, "]]>", next);
      if (!current) throw new XmlError("CDATA outside the root element");
      current.element.text += xml.slice(next + 9, at - 3);
    } else if (xml.startsWith("<!", next)) throw new XmlError("a DOCTYPE is not accepted");
    else if (xml.startsWith("</", next)) {
      const end = endOfTag(xml, next + 1);
      if (!current || xml.slice(next + 2, end).trim() !== current.qualifiedName)
        throw new XmlError("a closing tag does not fit");
      open.pop();
      at = end + 1;
    } else {
      if (root && !current) throw new XmlError("two root elements");
      const end = endOfTag(xml, next + 1);
      const isEmpty = xml[end - 1] === "/";
      const opened = openElement(xml.slice(next + 1, isEmpty ? end - 1 : end), current);
      count += 1;
      if (count > MAX_ELEMENTS || open.length >= MAX_DEPTH)
        throw new XmlError("too many or too deeply nested elements");
      current?.element.children.push(opened.element);
      root ??= opened.element;
      if (!isEmpty) open.push(opened);
      at = end + 1;
    }
  }
  if (!root || open.length > 0) throw new XmlError("it is cut off");
  return root;
}

/** The first child with this local name, at each step of the path. */
export function child(element: XmlElement | undefined, ...path: readonly string[]): XmlElement | undefined {
  let found = element;
  for (const name of path) found = found?.children.find((candidate) => candidate.name === name);
  return found;
}

/** Trimmed text of the element at the path, or undefined. */
export function childText(element: XmlElement | undefined, ...path: readonly string[]): string | undefined {
  return child(element, ...path)?.text.trim();
}

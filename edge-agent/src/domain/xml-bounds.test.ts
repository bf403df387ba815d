import fc from "fast-check";
import { expect, test } from "vitest";
import { XML_BOUNDS, lookAtXml, xmlFault } from "./xml-bounds.ts";

const envelope = (body: string): string =>
  `<?xml version="1.0"?><!-- <x> --><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:t='u'><s:Body>${body}</s:Body></s:Envelope>`;

test("an answer as devices send it is read", () => {
  expect(xmlFault(envelope('<t:A b="a>b/"/><t:C><![CDATA[<!DOCTYPE]]></t:C>'))).toBeNull();
  expect(xmlFault("no XML at all")).toBeNull();
});

test.each([
  ["a document type", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'],
  ["an entity declaration", "<a><!ENTITY b 'c'></a>"],
  ["100,000 nested elements", "<a>".repeat(100_000)],
  ["nested elements that hide behind quotes", "<a b='/>'>".repeat(100)],
  ["too many elements", envelope("<a/>".repeat(XML_BOUNDS.elements))],
  ["too many attributes", envelope(`<a ${'b="" '.repeat(1_000)}/>`.repeat(17))],
  ["an endless text", envelope("x".repeat(XML_BOUNDS.textCharacters + 1))],
  ["a megabyte", envelope("x".repeat(1024 * 1024))],
  ["a comment without an end", "<a><!-- ".repeat(1_000)],
  ["a tag without an end", `<a ${"b".repeat(100_000)}`],
  ["a tag in a tag", "<a <b></b>"],
  ["names that make the library's pattern quadratic", envelope("xmlns".repeat(50_000))],
  ["a declaration without an end", `<a xmlns:b="${"c".repeat(2_000)}`],
])("%s is refused", (_what, xml) => expect(xmlFault(xml)).not.toBeNull());

const DEEP = "<a>".repeat(100_000);
test.each([
  ["a megabyte", envelope("x".repeat(1024 * 1024)), 0],
  ["100,000 nested elements", DEEP, XML_BOUNDS.depth * "<a>".length + 3],
  ["a document type before them", `<!DOCTYPE a [<!ENTITY b "c">]>${DEEP}`, 0],
  [
    "a tag without an end before them",
    `<a ${"b".repeat(XML_BOUNDS.tagCharacters)}${DEEP}`,
    XML_BOUNDS.tagCharacters,
  ],
])("%s: no more is looked at than shows it", (_what, xml, characters) => {
  const { fault, scanned } = lookAtXml(xml);
  expect(fault).not.toBeNull();
  expect(scanned).toBeLessThanOrEqual(characters);
});

test("what goes to the parser is within every bound, whatever it is made of", () => {
  const piece = fc.constantFrom(
    "<a>",
    "</a>",
    '<a b="c" d="e"/>',
    "text",
    "<![CDATA[ <a> ]]>",
    "<!-- <a> -->",
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(piece, fc.integer({ min: 1, max: 12_000 })), { maxLength: 8 }), (runs) => {
      const xml = runs.map(([text, times]) => text.repeat(times)).join("");
      const look = lookAtXml(xml);
      expect(look.scanned).toBeLessThanOrEqual(xml.length);
      if (look.fault !== null) return;
      expect(look.depth).toBeLessThanOrEqual(XML_BOUNDS.depth);
      expect(look.elements).toBeLessThanOrEqual(XML_BOUNDS.elements);
      expect(look.attributes).toBeLessThanOrEqual(XML_BOUNDS.attributes);
      expect(look.elements).toBe(
        xml.replace(/<!--.*?-->|<!\[CDATA\[.*?\]\]>/g, "").match(/<a/g)?.length ?? 0,
      );
    }),
    { numRuns: 60 },
  );
});

test("any text is judged", () => {
  const piece = fc.constantFrom(
    "<",
    ">",
    "</",
    "/>",
    "<!",
    "<!--",
    "-->",
    "<![CDATA[",
    "xmlns",
    "=",
    '"',
    "'",
    "a",
  );
  fc.assert(
    fc.property(
      fc.array(piece).map((pieces) => pieces.join("")),
      (xml) => void xmlFault(xml),
    ),
  );
  fc.assert(fc.property(fc.string({ unit: "binary" }), (xml) => void xmlFault(xml)));
});

test("what passes is never nested deeper than the bound", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 200 }), (depth) => {
      const fault = xmlFault("<a>".repeat(depth) + "</a>".repeat(depth));
      expect(fault === null).toBe(depth <= XML_BOUNDS.depth);
    }),
  );
});

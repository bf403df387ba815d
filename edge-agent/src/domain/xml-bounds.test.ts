import fc from "fast-check";
import { expect, test } from "vitest";
import { XML_BOUNDS, xmlFault } from "./xml-bounds.ts";

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
  ["a megabyte", envelope("x".repeat(1024 * 1024))],
  ["a comment without an end", "<a><!-- ".repeat(1_000)],
  ["a tag without an end", `<a ${"b".repeat(100_000)}`],
  ["a tag in a tag", "<a <b></b>"],
  ["names that make the library's pattern quadratic", envelope("xmlns".repeat(50_000))],
  ["a declaration without an end", `<a xmlns:b="${"c".repeat(2_000)}`],
])("%s is refused", (_what, xml) => expect(xmlFault(xml)).not.toBeNull());

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

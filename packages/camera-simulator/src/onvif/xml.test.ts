import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { XmlError, child, childText, escapeXml, parseXml } from "./xml.ts";

describe("parseXml", () => {
  it("resolves namespaces, entities, CDATA and comments", () => {
    const root = parseXml(
      '<?xml version="1.0"?><!-- a > b --><s:E xmlns:s="urn:s" xmlns="urn:d"><Body a="1 &lt; 2" s:b=\'"\'>x &amp; &#x4e2d;<![CDATA[<y>]]></Body><s:Empty/></s:E>\n',
    );
    expect([root.namespace, root.name]).toEqual(["urn:s", "E"]);
    const body = child(root, "Body");
    expect(body?.namespace).toBe("urn:d");
    expect(body?.text).toBe("x & 中<y>");
    expect([...(body?.attributes ?? [])]).toEqual([
      ["a", "1 < 2"],
      ["b", '"'],
    ]);
    expect(childText(root, "Empty")).toBe("");
    expect(childText(root, "Nothing", "Inside")).toBeUndefined();
  });

  it.each([
    ["a DOCTYPE", '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'],
    ["an unknown entity", "<a>&x;</a>"],
    ["a bare ampersand", "<a>& </a>"],
    ["an open element", "<a><b></a>"],
    ["two roots", "<a/><b/>"],
    ["an undeclared prefix", "<s:a/>"],
    ["a character that cannot be", "<a>&#0;</a>"],
    ["a tag in a tag", "<a <b/>"],
    ["text outside", "hello"],
    ["nothing", ""],
    ["deep nesting", "<a>".repeat(100) + "</a>".repeat(100)],
    ["too many elements", `<a>${"<b/>".repeat(3000)}</a>`],
    ["too long a document", `<a>${"x".repeat(300_000)}</a>`],
  ])("refuses %s", (_what, xml) => {
    expect(() => parseXml(xml)).toThrow(XmlError);
  });

  it("gives back whatever was escaped", () => {
    const text = fc
      .string({ unit: "grapheme" })
      .filter((value) => /^[\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]*$/u.test(value));
    fc.assert(
      fc.property(text, (value) => {
        const root = parseXml(`<a b="${escapeXml(value)}">${escapeXml(value)}</a>`);
        expect(root.text).toBe(value);
        expect(root.attributes.get("b")).toBe(value);
      }),
    );
  });

  it("answers any text with a tree or XML_INVALID, never a crash", () => {
    const piece = fc.constantFrom(
      "<a>",
      "</a>",
      "<b c='d'/>",
      "<!--",
      "-->",
      "<![CDATA[",
      "]]>",
      "&amp;",
      "&",
      "<",
      ">",
      '"',
      "x",
      "<?",
      "?>",
      "<!DOCTYPE",
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string()), { maxLength: 30 }), (pieces) => {
        try {
          parseXml(pieces.join(""));
        } catch (error) {
          expect(error).toBeInstanceOf(XmlError);
        }
      }),
      { numRuns: 500 },
    );
  });
});

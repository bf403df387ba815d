import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { csvLine } from "./csv.ts";
import { imageTypeOf } from "./image-type.ts";

/** A reader of RFC 4180, for one line. */
function readLine(line: string): string[] {
  const cells: string[] = [];
  const cell = /(?:"((?:[^"]|"")*)"|([^,"\r\n]*))(,|\r\n$)/gy;
  for (let match = cell.exec(line); match !== null; match = cell.exec(line)) {
    cells.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? "");
    if (match[3] !== ",") return cells;
  }
  throw new Error(`not a line: ${line}`);
}

describe("a line of CSV", () => {
  test("keeps text, numbers and what is not known", () => {
    expect(csvLine(["北门", 'a "b", c', -12.5, null])).toBe('北门,"a ""b"", c",-12.5,\r\n');
  });

  test.each(["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1"])(
    "takes the formula out of %j",
    (text) => {
      expect(csvLine([text])).toBe(`"'${text}"\r\n`);
    },
  );

  test("reads back to the same cells, none of which a spreadsheet would calculate", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "grapheme" }), { minLength: 1 }), (texts) => {
        const cells = readLine(csvLine(texts));
        expect(cells.map((cell, index) => (cell === `'${texts[index]}` ? texts[index] : cell))).toEqual(
          texts,
        );
        for (const cell of cells) expect(cell).not.toMatch(/^\s*[=+\-@]/);
      }),
    );
  });
});

describe("the type of an image", () => {
  test("is told by its first bytes alone", () => {
    expect(imageTypeOf(Buffer.from("ffd8ffe000", "hex"))).toBe("image/jpeg");
    expect(imageTypeOf(Buffer.from("89504e470d0a1a0a00", "hex"))).toBe("image/png");
    for (const text of ["", "<svg xmlns='http://www.w3.org/2000/svg'/>", "GIF89a", "\ufffd\ufffd"]) {
      expect(imageTypeOf(Buffer.from(text))).toBeNull();
    }
  });
});

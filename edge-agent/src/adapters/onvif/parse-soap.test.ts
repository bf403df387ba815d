import fc from "fast-check";
import { createRequire } from "node:module";
import { expect, test } from "vitest";
import { parseSoap } from "./parse-soap.ts";

type Library = {
  parseSOAPString(xml: string, done: (error: unknown, data: unknown, xml: string) => void): void;
};
const library = createRequire(import.meta.url)("onvif/lib/utils.js") as Library;

/** What the library's own parser makes of it: the first time that it calls back counts. */
function asLibrary(xml: string): { error: string | null; body: unknown } {
  let first: { error: string | null; body: unknown } | undefined;
  library.parseSOAPString(xml, (error, body) => {
    first ??= { error: error ? "an error" : null, body: error ? undefined : body };
  });
  return first ?? { error: "an error", body: undefined };
}

async function ours(xml: string): Promise<{ error: string | null; body: unknown }> {
  const { error, body } = await parseSoap(xml, () => Promise.resolve());
  return { error: error ? "an error" : null, body: error ? undefined : body };
}

const envelope = (inner: string): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://www.w3.org/2003/05/soap-envelope">` +
  `<SOAP-ENV:Header/><SOAP-ENV:Body xmlns:xsi="x">${inner}</SOAP-ENV:Body></SOAP-ENV:Envelope>`;

const leaf = fc.constantFrom(
  "<tt:PTZConfiguration token='a' x:y=\"1\">2.10</tt:PTZConfiguration>",
  "<tds:Model> M &amp; N &#228; </tds:Model>",
  "<Empty/>",
  "<tt:Text xmlns:tt='q'><![CDATA[<b>&]]></tt:Text>",
  "<!-- a <comment> -->",
  "<?pi x?>",
  "loose text ",
  "  \n ",
  "<open>",
  "</open>",
  "&bad;",
  "<a b=c/>",
  "𝄞€",
);

test("an answer reads as the library's own parser reads it, wherever the slices fall", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(leaf, { maxLength: 12 }),
      fc.integer({ min: 16_300, max: 16_400 }),
      fc.constantFrom("", "<trailing", "</x>", " "),
      async (parts, padding, trailing) => {
        const xml =
          envelope(`<R>${parts.join("")}<P>${"p".repeat(padding)}</P>${parts.join("")}</R>`) + trailing;
        expect(await ours(xml)).toEqual(asLibrary(xml));
      },
    ),
    { numRuns: 200 },
  );
});

test.each([
  ["nothing", ""],
  ["spaces", "  "],
  ["a byte order mark", `\uFEFF${envelope("<A>1</A>")}`],
  ["no envelope", "<html><body>x</body></html>"],
  [
    "a fault",
    envelope("<Fault><Code><Value>s</Value></Code><Reason><Text xml:lang='en'>no</Text></Reason></Fault>"),
  ],
  ["a fault without a reason", envelope("<Fault><Code><Value>s</Value></Code></Fault>")],
  ["cut short", envelope("<A>1</A>").slice(0, -12)],
])("%s reads as the library reads it", async (_what, xml) => {
  expect(await ours(xml)).toEqual(asLibrary(xml));
});

test("the event loop turns after each slice of a long answer", async () => {
  let turns = 0;
  const xml = envelope("<A>1</A>".repeat(9_000));
  await parseSoap(xml, () => {
    turns += 1;
    return Promise.resolve();
  });
  expect(turns).toBe(Math.floor((xml.length - ' xmlns:xsi="x"'.length) / (16 * 1024)));
});

test("a fault's reason and detail are told, at a bounded length", async () => {
  const reason = "<Reason><Text xml:lang='en'>Sender not Authorized</Text></Reason>";
  const { error } = await parseSoap(
    envelope(`<Fault>${reason}<Detail><Text>${"x".repeat(5_000)}</Text></Detail></Fault>`),
  );
  expect(error?.message).toMatch(/^ONVIF SOAP Fault: Sender not Authorizedx/);
  expect(error?.message.length).toBeLessThan(1_100);
});

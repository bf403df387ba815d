declare module "xml2js" {
  import type { EventEmitter } from "node:events";

  /** What is used of it. `saxParser` is the tokenizer behind, which takes text in pieces. */
  export class Parser extends EventEmitter {
    constructor(options: { readonly tagNameProcessors: readonly ((name: string) => string)[] });
    readonly saxParser: { write(text: string): unknown; close(): unknown };
  }
}

// An ONVIF device that is none, or a real one (the simulator's) whose answers are changed on their way.
import { type IncomingMessage, type Server, type ServerResponse, createServer, request } from "node:http";
import type { AddressInfo, Socket } from "node:net";

export type Mischief =
  | "pass"
  | "xml_bomb"
  | "external_entity"
  | "one_megabyte"
  | "endless_body"
  | "hundred_thousand_deep"
  | "endless_headers"
  | "garbage"
  | "cut_short"
  | "silent"
  | "not_xml";

const ENVELOPE = '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>';
const END = "</s:Body></s:Envelope>";
const FLOOD_MS = 20;

function bomb(): string {
  const entities = Array.from({ length: 12 }, (_, i) => `<!ENTITY e${i + 1} "${`&e${i};`.repeat(10)}">`);
  return `<?xml version="1.0"?><!DOCTYPE b [<!ENTITY e0 "boom">${entities.join("")}]>${ENVELOPE}<a>&e12;</a>${END}`;
}

const BODIES: Partial<Record<Mischief, () => string>> = {
  xml_bomb: bomb,
  external_entity: () =>
    `<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>${ENVELOPE}<a>&x;</a>${END}`,
  one_megabyte: () => `${ENVELOPE}<a b="${"x".repeat(1024 * 1024)}"/>${END}`,
  hundred_thousand_deep: () => `${ENVELOPE}${"<a>".repeat(100_000)}${"</a>".repeat(100_000)}${END}`,
  garbage: () => Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 193) % 256)).toString("latin1"),
  cut_short: () => `${ENVELOPE}<tds:GetDeviceInformationResponse><tds:Manufac`,
  not_xml: () => "<html><body><h1>It works!</h1></body>",
};

export class OnvifImpostor {
  readonly #server: Server;
  readonly #target: URL;
  readonly #sockets = new Set<Socket>();
  mischief: Mischief = "pass";
  /** Applied to every answer of the real device. */
  change: (xml: string) => string = (xml) => xml;
  requests = 0;

  private constructor(target: string) {
    this.#target = new URL(target);
    this.#server = createServer((incoming, outgoing) => this.#answer(incoming, outgoing));
    this.#server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.on("error", () => undefined);
      socket.once("close", () => this.#sockets.delete(socket));
    });
  }

  static async start(target: string): Promise<OnvifImpostor> {
    const impostor = new OnvifImpostor(target);
    await new Promise<void>((resolve) => impostor.#server.listen(0, "127.0.0.1", resolve));
    return impostor;
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}${this.#target.pathname}`;
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #answer(incoming: IncomingMessage, outgoing: ServerResponse): void {
    this.requests += 1;
    const { mischief } = this;
    if (mischief === "pass") return this.#pass(incoming, outgoing);
    incoming.resume();
    if (mischief === "silent") return;
    if (mischief === "endless_headers")
      return flood(outgoing.socket, "HTTP/1.1 200 OK\r\n", () => `X-A: ${"a".repeat(8000)}\r\n`);
    outgoing.writeHead(200, { "content-type": "application/soap+xml" });
    if (mischief === "endless_body") {
      outgoing.write(ENVELOPE);
      return flood(outgoing.socket, "", () => `1f40\r\n${"x".repeat(8000)}\r\n`);
    }
    outgoing.end(BODIES[mischief]?.());
  }

  #pass(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const { hostname, port } = this.#target;
    const headers = { ...incoming.headers, host: `${hostname}:${port}` };
    const forward = request(
      { hostname, port, path: incoming.url, method: incoming.method, headers },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("end", () => {
          const body = Buffer.from(this.change(Buffer.concat(chunks).toString("utf8")));
          const { "content-length": _length, "transfer-encoding": _encoding, ...rest } = answer.headers;
          outgoing.writeHead(answer.statusCode ?? 500, { ...rest, "content-length": body.length });
          outgoing.end(body);
        });
      },
    );
    forward.on("error", () => outgoing.destroy());
    incoming.pipe(forward);
  }
}

/** Bytes without an end, as fast as they are taken. */
function flood(socket: Socket | null, first: string, next: () => string): void {
  if (!socket) return;
  socket.write(first);
  const timer = setInterval(() => {
    if (socket.writableLength < 64 * 1024) socket.write(next());
  }, FLOOD_MS);
  socket.once("close", () => clearInterval(timer));
}

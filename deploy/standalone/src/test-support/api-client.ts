// A signed-in HTTP client, for what a test has to set up or to check beside the page.
import type { Alarm, Camera, Rule, RuleCreateBody, Zone } from "@huishi/contracts";

export const ACCOUNT = { userName: "chief", password: "correct horse battery" };

export class ApiClient {
  readonly #url: string;
  #cookie = "";

  constructor(url: string) {
    this.#url = url;
  }

  /** `name=value` of the session cookie. */
  get cookie(): string {
    return this.#cookie;
  }

  async setUp(setupUrl: string): Promise<void> {
    const token = new URLSearchParams(setupUrl.split("?")[1]).get("token");
    await this.#signInWith("/setup", { token, ...ACCOUNT });
  }

  async signIn(): Promise<void> {
    await this.#signInWith("/sign-in", ACCOUNT);
  }

  async #signInWith(path: string, body: unknown): Promise<void> {
    const response = await this.send("POST", path, body);
    this.#cookie = response.headers.getSetCookie()[0]?.split(";")[0] ?? "";
  }

  /** Sends a request; an answer that is not 2xx is thrown with its body. */
  async send(method: string, path: string, body?: unknown): Promise<Response> {
    const response = await fetch(`${this.#url}/api/v1${path}`, {
      method,
      headers: {
        origin: this.#url,
        ...(this.#cookie === "" ? {} : { cookie: this.#cookie }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response;
  }

  async cameras(): Promise<Camera[]> {
    const { cameras } = (await (await this.send("GET", "/cameras")).json()) as { cameras: Camera[] };
    return cameras;
  }

  async alarms(query = ""): Promise<Alarm[]> {
    const { alarms } = (await (await this.send("GET", `/alarms${query}`)).json()) as { alarms: Alarm[] };
    return alarms;
  }

  async createZone(cameraId: string, zone: Pick<Zone, "name" | "kind" | "points">): Promise<Zone> {
    return (await (await this.send("POST", `/cameras/${cameraId}/zones`, zone)).json()) as Zone;
  }

  async createRule(cameraId: string, rule: RuleCreateBody): Promise<Rule> {
    return (await (await this.send("POST", `/cameras/${cameraId}/rules`, rule)).json()) as Rule;
  }
}

/** Asks again until the answer is there; fails with what was last seen after `deadlineMs`. */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | null | undefined | false>,
  deadlineMs = 60_000,
): Promise<T> {
  const endMs = Date.now() + deadlineMs;
  let last: unknown;
  while (Date.now() < endMs) {
    last = await ask();
    if (last) return last as T;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`${what} did not happen within ${deadlineMs} ms; last seen: ${JSON.stringify(last)}`);
}

import type { Tenant, Tenure } from "../camera-leases.ts";

/** The only worker there is: holds whatever there is to analyse and `mayHold` allows, at once. */
export class SoleTenure implements Tenure {
  wanted: ReadonlyMap<string, number> = new Map();
  readonly #mayHold: (cameraId: string) => boolean;
  #tenant: Tenant | null = null;

  constructor(mayHold: (cameraId: string) => boolean = () => true) {
    this.#mayHold = mayHold;
  }

  want(cameras: ReadonlyMap<string, number>): void {
    this.wanted = cameras;
    this.#tenant?.take([...cameras.keys()].filter(this.#mayHold));
  }

  isHeld(): boolean {
    return true;
  }

  run(_signal: AbortSignal, tenant: Tenant): Promise<void> {
    this.#tenant = tenant;
    this.want(this.wanted);
    return Promise.resolve();
  }
}

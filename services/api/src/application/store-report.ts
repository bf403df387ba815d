import type { Store } from "@huishi/contracts";

/** How the store was made and how much lies in it. */
export interface StoreReport {
  readStore(): Promise<Store>;
}

/** What every feature may use. Built once in app/compose.ts. */
import type { Session } from "@huishi/contracts";
import { createContext, useContext } from "react";
import type { Api } from "./api/api.ts";
import type { LiveHub } from "./live/live-hub.ts";
import type { Metrics } from "./metrics.ts";
import type { Operations } from "./model/operations.ts";
import type { WallTiles } from "./model/wall-tiles.ts";
import type { WallPreferences } from "./preferences.ts";
import type { Route } from "./route.ts";
import type { Store } from "./store.ts";
import type { Toasts } from "./toasts.ts";

/** `unknown` until the server was asked; `needsSetup` before the first administrator exists. */
export type SessionState =
  | { readonly kind: "unknown"; readonly error?: unknown }
  | { readonly kind: "needsSetup" }
  | { readonly kind: "signedOut"; readonly hasEnded: boolean }
  | { readonly kind: "signedIn"; readonly session: Session };

export interface AppParts {
  readonly api: Api;
  readonly hub: LiveHub;
  readonly operations: Operations;
  readonly wall: WallTiles;
  readonly metrics: Metrics;
  readonly toasts: Toasts;
  readonly session: Store<SessionState>;
  readonly route: Store<Route>;
  readonly preferences: Store<WallPreferences>;
  /** Somebody signed in or created the first account. */
  readonly enter: (session: Session) => void;
  readonly signOut: () => void;
  readonly retry: () => void;
  /** Shows a failure in words, with its code; an ended session leads to the sign-in. */
  readonly report: (thrown: unknown) => void;
}

export const AppContext = createContext<AppParts | null>(null);

export function useApp(): AppParts {
  const parts = useContext(AppContext);
  if (!parts) throw new Error("useApp outside of AppContext");
  return parts;
}

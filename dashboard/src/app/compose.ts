/** Builds the page's parts and ties them together. */
import { SOCKET_PATH, type Session } from "@huishi/contracts";
import { HuishiError, messageOf } from "@huishi/kernel";
import { ApiError } from "../core/api/http.ts";
import { api } from "../core/api/api.ts";
import type { AppParts, SessionState } from "../core/app-context.ts";
import { currentWords } from "../core/i18n/use-words.ts";
import { LiveHub } from "../core/live/live-hub.ts";
import { Metrics } from "../core/metrics.ts";
import { Operations } from "../core/model/operations.ts";
import { WallTiles } from "../core/model/wall-tiles.ts";
import { keepPreferences, readPreferences } from "../core/preferences.ts";
import { parseRoute, routeHash } from "../core/route.ts";
import { AlarmSound } from "../core/sound.ts";
import { createStore, type Store } from "../core/store.ts";
import { Toasts } from "../core/toasts.ts";

/** Builds everything and asks the server who we are. Call once a page. */
export function composeApp(): AppParts {
  const preferences = createStore(readPreferences());
  preferences.subscribe(() => keepPreferences(preferences.get()));
  const sound = new AlarmSound();
  const operations = new Operations(api, (alarms) => {
    if (preferences.get().sound) sound.play(alarms);
  });
  const hub = new LiveHub(
    new Worker(new URL("../core/live/live.worker.ts", import.meta.url), {
      type: "module",
      name: "huishi-live",
    }),
  );
  const metrics = new Metrics();
  metrics.expose(hub);
  const toasts = new Toasts();
  const session = createStore<SessionState>({ kind: "unknown" });
  const route = createStore(parseRoute(location.hash));
  globalThis.addEventListener("hashchange", () => route.set(parseRoute(location.hash)));
  globalThis.addEventListener("online", () => hub.retryNow());

  const leave = (hasEnded: boolean): void => {
    hub.stop();
    session.set({ kind: "signedOut", hasEnded });
  };
  const report = (thrown: unknown): void => {
    if (isSignedOut(thrown)) {
      leave(true);
      return;
    }
    const { t, error } = currentWords.get();
    const code = thrown instanceof HuishiError ? thrown.code : null;
    const text = code === null ? t.errors.unknown : error(code, messageOf(thrown));
    toasts.show({ text, isError: true, ...(code === null ? {} : { code }) });
  };
  const enter = (entered: Session): void => {
    session.set({ kind: "signedIn", session: entered });
    if (route.get().page === "setup") {
      // The one-time token does not stay in the history.
      history.replaceState(null, "", routeHash({ page: "wall" }));
      route.set({ page: "wall" });
    }
    hub.start(new URL(SOCKET_PATH, location.href.replace(/^http/, "ws")).href, {
      welcome: (resumed) => {
        if (!resumed || !operations.loaded.get()) void operations.reload();
      },
      changes: (changes) => operations.apply(changes),
      scene: (scene) => operations.scene(scene),
    });
  };
  watchConnection(hub, leave);
  const find = (): void => void findSession(hub, session, enter);
  find();
  return {
    api,
    hub,
    operations,
    wall: new WallTiles(operations, preferences),
    metrics,
    toasts,
    session,
    route,
    preferences,
    enter,
    report,
    retry: find,
    signOut: () => {
      leave(false);
      void api.signOut().catch(report);
    },
  };
}

function isSignedOut(thrown: unknown): boolean {
  return thrown instanceof ApiError && thrown.code === "NOT_SIGNED_IN";
}

/** Asks who we are: set up, signed out or signed in. */
async function findSession(
  hub: LiveHub,
  session: Store<SessionState>,
  enter: (session: Session) => void,
): Promise<void> {
  session.set({ kind: "unknown" });
  try {
    const server = await api.server();
    hub.seedClock(server.serverTimeMs);
    if (server.needsSetup) session.set({ kind: "needsSetup" });
    else enter(await api.session());
  } catch (thrown) {
    session.set(
      isSignedOut(thrown) ? { kind: "signedOut", hasEnded: false } : { kind: "unknown", error: thrown },
    );
  }
}

/** A refused WebSocket upgrade looks like any loss to a browser: ask over HTTP whether the session still holds. */
function watchConnection(hub: LiveHub, leave: (hasEnded: boolean) => void): void {
  hub.connection.subscribe(() => {
    const { phase, retryInMs } = hub.connection.get();
    if (phase === "signedOut") leave(true);
    else if (phase === "lost" && retryInMs !== null) {
      api.session().catch((thrown: unknown) => {
        if (isSignedOut(thrown)) leave(true);
      });
    }
  });
}

/** Light by default, dark by choice: for the pages of the console, remembered in this browser. */
import { createStore, type ReadableStore } from "./store.ts";

export type ConsoleTheme = "console" | "wall";
const KEY = "huishi.console-theme";

const themeStore = createStore<ConsoleTheme>(readStored());
export const consoleTheme: ReadableStore<ConsoleTheme> = themeStore;

function readStored(): ConsoleTheme {
  try {
    return localStorage.getItem(KEY) === "wall" ? "wall" : "console";
  } catch {
    return "console";
  }
}

export function setConsoleTheme(theme: ConsoleTheme): void {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // A browser that keeps nothing still switches for now.
  }
  themeStore.set(theme);
}

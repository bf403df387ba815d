/** The chosen language as a store, remembered in this browser. */
import { createStore, type ReadableStore, useStore } from "../store.ts";
import { chooseLanguage, createWords, type Language, type Words } from "./catalogue.ts";
import { en } from "./en.ts";
import { zhCn } from "./zh-cn.ts";

const KEY = "huishi.language";
const CATALOGUES = { en, "zh-CN": zhCn } as const;

const wordsStore = createStore<Words>(wordsOf(chooseLanguage(readStored(), navigator.languages)));

function wordsOf(language: Language): Words {
  document.documentElement.lang = language;
  document.title = CATALOGUES[language].product;
  return createWords(language, CATALOGUES[language]);
}

function readStored(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

/** For imperative code: canvas labels and ticking ages. */
export const currentWords: ReadableStore<Words> = wordsStore;

export function setLanguage(language: Language): void {
  try {
    localStorage.setItem(KEY, language);
  } catch {
    // A browser that keeps nothing still switches for now.
  }
  wordsStore.set(wordsOf(language));
}

export function useWords(): Words {
  return useStore(wordsStore);
}

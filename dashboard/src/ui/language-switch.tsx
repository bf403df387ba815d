import { LANGUAGES } from "../core/i18n/catalogue.ts";
import { en } from "../core/i18n/en.ts";
import { setLanguage, useWords } from "../core/i18n/use-words.ts";
import { zhCn } from "../core/i18n/zh-cn.ts";

const NAMES = { en: en.languageName, "zh-CN": zhCn.languageName } as const;

export function LanguageSwitch() {
  const { t, language } = useWords();
  return (
    <fieldset className="segmented" aria-label={t.common.language} data-testid="language-switch">
      {LANGUAGES.map((each) => (
        <button
          key={each}
          type="button"
          lang={each}
          aria-pressed={each === language}
          data-testid={`language-${each}`}
          onClick={() => setLanguage(each)}
        >
          {NAMES[each]}
        </button>
      ))}
    </fieldset>
  );
}

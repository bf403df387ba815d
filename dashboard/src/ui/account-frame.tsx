/** The quiet light frame of the pages before the wall: who we are, one form, the language. */
import { useWords } from "../core/i18n/use-words.ts";
import { BrandMark } from "./brand-mark.tsx";
import { LanguageSwitch } from "./language-switch.tsx";

export function AccountFrame(props: { title: string; testId: string; children: React.ReactNode }) {
  const { t } = useWords();
  return (
    <div className="console account" data-theme="console" data-testid={props.testId}>
      <header className="account-head">
        <span className="brand">
          <BrandMark />
          <span>{t.product}</span>
          <small>{t.tagline}</small>
        </span>
        <LanguageSwitch />
      </header>
      <main className="account-body">
        <h1>{props.title}</h1>
        {props.children}
      </main>
    </div>
  );
}

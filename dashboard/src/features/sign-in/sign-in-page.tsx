import { useState } from "react";
import { useApp } from "../../core/app-context.ts";
import { useWords } from "../../core/i18n/use-words.ts";
import { AccountFrame } from "../../ui/account-frame.tsx";
import { ErrorNote } from "../../ui/error-note.tsx";
import { TextField } from "../../ui/field.tsx";

export function SignInPage({ hasEnded }: { hasEnded: boolean }) {
  const { api, enter } = useApp();
  const { t } = useWords();
  const [userName, setUserName] = useState("");
  const [password, setPassword] = useState("");
  const [state, setState] = useState<{ isBusy: boolean; error?: unknown }>({ isBusy: false });

  const submit = async (): Promise<void> => {
    setState({ isBusy: true });
    try {
      enter(await api.signIn({ userName, password }));
    } catch (error) {
      setState({ isBusy: false, error });
    }
  };

  return (
    <AccountFrame title={t.signIn.title} testId="page-sign-in">
      {hasEnded ? <p className="note">{t.signIn.ended}</p> : null}
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <TextField
          label={t.signIn.userName}
          value={userName}
          onChange={setUserName}
          autoComplete="username"
          required
          testId="sign-in-user"
        />
        <TextField
          label={t.signIn.password}
          type="password"
          value={password}
          onChange={setPassword}
          autoComplete="current-password"
          required
          testId="sign-in-password"
        />
        {state.error === undefined ? null : <ErrorNote thrown={state.error} />}
        <button type="submit" className="button primary" disabled={state.isBusy} data-testid="sign-in-submit">
          {state.isBusy ? t.signIn.submitting : t.signIn.submit}
        </button>
      </form>
    </AccountFrame>
  );
}

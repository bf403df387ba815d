/** The first administrator, from the one-time link of the start. */
import { useState } from "react";
import { useApp } from "../../core/app-context.ts";
import { useWords } from "../../core/i18n/use-words.ts";
import { AccountFrame } from "../../ui/account-frame.tsx";
import { ErrorNote } from "../../ui/error-note.tsx";
import { TextField } from "../../ui/field.tsx";

export function SetupPage({ token }: { token: string | null }) {
  const { t } = useWords();
  if (token === null) {
    return (
      <AccountFrame title={t.setup.waitingTitle} testId="page-setup-waiting">
        <p>{t.setup.waiting}</p>
      </AccountFrame>
    );
  }
  return <SetupForm token={token} />;
}

function SetupForm({ token }: { token: string }) {
  const { api, enter } = useApp();
  const { t } = useWords();
  const [userName, setUserName] = useState("");
  const [password, setPassword] = useState("");
  const [repeat, setRepeat] = useState("");
  const [state, setState] = useState<{ isBusy: boolean; error?: unknown; differs?: boolean }>({
    isBusy: false,
  });

  const submit = async (): Promise<void> => {
    if (password !== repeat) {
      setState({ isBusy: false, differs: true });
      return;
    }
    setState({ isBusy: true });
    try {
      enter(await api.setUp({ token, userName, password }));
    } catch (error) {
      setState({ isBusy: false, error });
    }
  };

  return (
    <AccountFrame title={t.setup.title} testId="page-setup">
      <p>{token === "" ? t.setup.noToken : t.setup.intro}</p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <TextField
          label={t.setup.userName}
          hint={t.setup.userNameHint}
          value={userName}
          onChange={setUserName}
          autoComplete="username"
          minLength={3}
          maxLength={64}
          required
          testId="setup-user"
        />
        <TextField
          label={t.setup.password}
          hint={t.setup.passwordHint}
          type="password"
          value={password}
          onChange={setPassword}
          autoComplete="new-password"
          minLength={10}
          maxLength={256}
          required
          testId="setup-password"
        />
        <TextField
          label={t.setup.repeat}
          type="password"
          value={repeat}
          onChange={setRepeat}
          error={state.differs ? t.setup.mismatch : null}
          autoComplete="new-password"
          required
          testId="setup-repeat"
        />
        {state.error === undefined ? null : <ErrorNote thrown={state.error} />}
        <button
          type="submit"
          className="button primary"
          disabled={state.isBusy || token === ""}
          data-testid="setup-submit"
        >
          {state.isBusy ? t.setup.submitting : t.setup.submit}
        </button>
      </form>
    </AccountFrame>
  );
}

import { useState } from "preact/hooks";
import { languages } from "../../../texts/texts.ts";
import type { Page } from "../page.ts";
import { LinkLine } from "./link-line.tsx";

/** The form that lets a person in: they log in, or register an account. */
export function LogIn({ page }: { readonly page: Page }) {
  const { words } = page;
  const { hasAccounts = true, chat, isEnded } = page.model;
  const [isNew, setNew] = useState(false);
  const [problem, setProblem] = useState("");
  const [isBusy, setBusy] = useState(false);
  const enter = async (event: SubmitEvent) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget as HTMLFormElement);
    const textOf = (name: string) => String(given.get(name) ?? "").trim();
    const password = String(given.get("password") ?? "");
    if (isNew && password !== given.get("again")) {
      return setProblem(words("page.passwordsDiffer"));
    }
    setBusy(true);
    setProblem("");
    try {
      const invitation = isNew ? textOf("invitation") : undefined;
      await page.enter({ user: textOf("user"), password, invitation });
    } catch (error) {
      setProblem(page.describe(error));
    }
    setBusy(false);
  };
  return (
    <main class="entrance">
      <h1>Tertulia</h1>
      <LinkLine page={page} />
      {isEnded && <p>{words("page.sessionEnded")}</p>}
      <form onSubmit={(event) => void enter(event)}>
        <label>
          {words("page.name")}
          <input
            name="user"
            autocomplete="username"
            autocapitalize="none"
            required
            value={chat?.me}
          />
        </label>
        {hasAccounts && (
          <label>
            {words("page.password")}
            <input
              name="password"
              type="password"
              autocomplete={isNew ? "new-password" : "current-password"}
              required
            />
          </label>
        )}
        {isNew && <NewAccount page={page} />}
        <p role="alert" class="problem">
          {problem}
        </p>
        <button type="submit" class="main" disabled={isBusy}>
          {words(isNew ? "page.register" : "page.logIn")}
        </button>
      </form>
      {hasAccounts && !isEnded && (
        <button
          type="button"
          class="quiet"
          onClick={() => {
            setProblem("");
            setNew(!isNew);
          }}
        >
          {words(isNew ? "page.haveAccount" : "page.noAccount")}
        </button>
      )}
      <LanguageChoice page={page} />
    </main>
  );
}

function NewAccount({ page }: { readonly page: Page }) {
  const { words } = page;
  return (
    <>
      <label>
        {words("page.passwordAgain")}
        <input name="again" type="password" autocomplete="new-password" required />
      </label>
      <label>
        {words("page.invitation")}
        <input name="invitation" autocomplete="off" aria-describedby="invitation-hint" />
      </label>
      <p id="invitation-hint" class="hint">
        {words("page.invitationHint")}
      </p>
    </>
  );
}

/** The choice of the language, each named in itself. */
export function LanguageChoice({ page }: { readonly page: Page }) {
  const names = { en: "English", "pt-br": "Português" } as const;
  return (
    <fieldset class="choice">
      <legend>{page.words("page.language")}</legend>
      {languages.map((language) => (
        <label key={language} lang={language}>
          <input
            type="radio"
            name="language"
            checked={page.model.preferences.language === language}
            onChange={() => page.prefer({ language })}
          />
          {names[language]}
        </label>
      ))}
    </fieldset>
  );
}

import { useEffect, useRef } from "preact/hooks";
import type { ChatModel, Conversation } from "../../../client/core/chat-model.ts";
import { textOf } from "../../../client/core/line-editor.ts";
import { harmless } from "../../../protocol/harmless.ts";
import type { Page } from "../page.ts";

interface Parts {
  readonly page: Page;
  readonly chat: ChatModel;
  readonly present: Conversation;
}

const mostRows = 8;

/** The line to write in. Enter sends, Shift-Enter begins a new line. */
export function Composer({ page, chat, present }: Parts) {
  const { words } = page;
  const field = useRef<HTMLTextAreaElement>(null);
  const text = textOf(chat.editor);
  const name = present.target === undefined ? "" : harmless(present.key);
  const label = name === "" ? words("page.command") : words("page.writeTo", { name });
  // On a phone the keyboard would cover the messages that the person has just opened.
  useEffect(() => {
    if (matchMedia("(pointer: fine)").matches) field.current?.focus();
  }, []);
  const submit = () => {
    page.dispatch({ type: "submitted" });
    field.current?.focus();
  };
  const press = (event: KeyboardEvent) => {
    if (event.isComposing) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      submit();
    } else if (event.key === "ArrowUp" && text === "") {
      event.preventDefault();
      const articles = document.querySelectorAll<HTMLElement>(".messages article");
      articles[articles.length - 1]?.focus();
    } else if (event.key === "Escape") {
      page.dispatch({ type: "looks", isAtEnd: true });
    }
  };
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <textarea
        id="line"
        ref={field}
        dir="auto"
        rows={Math.min(mostRows, text.split("\n").length)}
        aria-label={label}
        placeholder={label}
        value={text}
        onInput={({ currentTarget }) =>
          page.dispatch({ type: "written", text: currentTarget.value })
        }
        onKeyDown={press}
      />
      <button type="submit" class="main" disabled={text.trim() === ""}>
        {words("page.send")}
      </button>
    </form>
  );
}

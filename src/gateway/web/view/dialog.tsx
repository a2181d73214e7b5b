import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Page } from "../page.ts";

/** A dialog over the page. Escape closes it, and the focus returns to where it was. */
export function Dialog({
  page,
  title,
  children,
}: {
  readonly page: Page;
  readonly title: string;
  readonly children: ComponentChildren;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const { activeElement } = document;
    dialog.current?.showModal();
    return () => {
      if (activeElement instanceof HTMLElement && activeElement.isConnected) activeElement.focus();
    };
  }, []);
  const close = () => page.change({ dialog: undefined });
  return (
    <dialog ref={dialog} aria-labelledby="dialog-title" onClose={close}>
      <header>
        <h2 id="dialog-title">{title}</h2>
        <button type="button" class="quiet" onClick={close}>
          {page.words("page.close")}
        </button>
      </header>
      {children}
    </dialog>
  );
}

import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
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
  // Before the next key, which is meant for the dialog.
  useLayoutEffect(() => {
    const { activeElement } = document;
    dialog.current?.showModal();
    return () => {
      if (activeElement instanceof HTMLElement && activeElement.isConnected) activeElement.focus();
    };
  }, []);
  const close = () => page.change({ dialog: undefined });
  return (
    <dialog
      ref={dialog}
      aria-labelledby="dialog-title"
      // Escape. The event `close` comes later, and would close a dialog that was opened meanwhile.
      onCancel={(event) => {
        event.preventDefault();
        close();
      }}
      onClose={({ currentTarget }) => currentTarget.isConnected && close()}
    >
      <h2 id="dialog-title">{title}</h2>
      {children}
      {/* Last, because a dialog that opens gives the focus to its first control. */}
      <button type="button" class="quiet close" onClick={close}>
        {page.words("page.close")}
      </button>
    </dialog>
  );
}

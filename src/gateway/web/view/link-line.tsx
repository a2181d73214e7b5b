import { harmless } from "../../../protocol/harmless.ts";
import type { Page } from "../page.ts";

/** How long the page connects before it says so: an ordinary start is faster. */
export function LinkLine({ page }: { readonly page: Page }) {
  const { words } = page;
  const { link, nowMs } = page.model;
  if (link.state !== "lost") {
    const hint = link.state === "connecting" ? words("page.connecting") : "";
    return (
      <p class="link" role="status">
        {hint}
      </p>
    );
  }
  const seconds = Math.max(1, Math.ceil((link.retryAtMs - nowMs) / 1_000));
  const detail = harmless(link.detail ?? "");
  return (
    <div class="link is-lost">
      <p role="status">{words(`page.lost.${link.why}`, { detail })}</p>
      <p>
        {words("page.nextTry", { seconds })}{" "}
        <button type="button" onClick={() => page.retry()}>
          {words("page.tryNow")}
        </button>
      </p>
    </div>
  );
}

import { useRouter } from "@tanstack/react-router";
import type { MouseEvent, ReactNode } from "react";

/** A link to a page by its path below `/ui`, for links that are put together out of what the server says. */
export function PageLink({
  to,
  className,
  onGo,
  children,
}: {
  to: string;
  className?: string;
  onGo?: () => void;
  children: ReactNode;
}) {
  const router = useRouter();
  const href = `/ui${to}`;
  const go = (event: MouseEvent) => {
    // What is to open in another tab or window is the browser's.
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    onGo?.();
    void router.navigate({ href });
  };
  return (
    <a href={href} className={className} onClick={go}>
      {children}
    </a>
  );
}

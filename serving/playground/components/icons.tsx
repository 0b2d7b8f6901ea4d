/** Icons: strokes in the text's colour. They say nothing to a screen reader; their buttons have labels. */
import type { JSX } from "preact";

const PATHS = {
  send: "M12 19V5M5 12l7-7 7 7",
  stop: "M7 7h10v10H7z",
  plus: "M12 5v14M5 12h14",
  settings: "M4 7h10M18 7h2M4 17h2M10 17h10M16 5v4M8 15v4",
  sun:
    "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8M12 2v2M12 20v2M2 12h2M20 12h2M4.9 4.9l1.4 1.4M17.7 17.7l1.4 1.4M4.9 19.1l1.4-1.4M17.7 6.3l1.4-1.4",
  moon: "M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z",
  system: "M3 5h18v11H3zM8 20h8M12 16v4",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  check: "M5 13l4 4L19 7",
  edit: "M4 20h4L19 9l-4-4L4 16zM13 7l4 4",
  trash: "M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13",
  retry: "M20 11a8 8 0 1 0-2.3 6.3M20 5v6h-6",
  code: "M8 7l-5 5 5 5M16 7l5 5-5 5",
  image: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15 9.5h.01",
  close: "M6 6l12 12M18 6L6 18",
  tool: "M14.5 5.5a4 4 0 0 0-5 5L4 16v4h4l5.500-5.500a4 4 0 0 0 5-5L16 12l-4-4z",
  chevron: "M9 6l6 6-6 6",
  alert: "M12 8v5M12 16.500h.01M12 3l9.500 17h-19z",
} as const;

/** Draws an icon. */
export function Icon({ name }: { readonly name: keyof typeof PATHS }): JSX.Element {
  return (
    <svg class="icon" viewBox="0 0 24 24" width="18" height="18" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}

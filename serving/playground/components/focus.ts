/** Puts the focus where one goes on typing; for when the element that had it goes away. */
export function focusComposer(): void {
  document.getElementById("composer-text")?.focus();
}

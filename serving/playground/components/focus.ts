/**
 * Puts the focus where one goes on typing; for when the element that had it goes away. Where fingers type, the field
 * would bring up the keyboard: there the composer around it takes the focus, from which the field is the next stop.
 */
export function focusComposer(): void {
  document.getElementById(matchMedia("(pointer: fine)").matches ? "composer-text" : "composer")?.focus();
}

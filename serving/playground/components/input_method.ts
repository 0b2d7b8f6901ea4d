/** Whether a key belongs to an input method, such as one for Japanese: its Enter chooses a word, and sends nothing. */
export function isInputMethod(event: KeyboardEvent): boolean {
  // Safari ends the composition before it tells of the key, which has this code then.
  return event.isComposing || event.keyCode === 229;
}

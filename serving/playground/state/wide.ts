/** Where there is room for the settings beside the chat. The style sheet for the layout has the same width. */
export const WIDE = "(min-width: 1000px)";

/** Frames in each stream that is compared. */
export const FRAMES = 100;

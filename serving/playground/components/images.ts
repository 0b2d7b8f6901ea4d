/** Images of the user's, as models take them. */
import type { Chat } from "../state/chat.ts";
import type { Image } from "../state/types.ts";

/** What vision models understand. */
const TYPES = ["image/png", "image/jpeg", "image/gif", "image/webp"];

/** Adds files to what will be sent; says so if one is no image. */
export async function addImages(chat: Chat, files: readonly File[]): Promise<void> {
  const fit = files.filter(({ type }) => TYPES.includes(type));
  const [unfit] = files.filter(({ type }) => !TYPES.includes(type));
  try {
    const images = await Promise.all(fit.map(readImage));
    if (images.length > 0) chat.setDraft({ images: [...chat.store.value.draft.images, ...images] });
    if (unfit !== undefined) chat.tell(`Cannot add "${unfit.name}": images must be PNG, JPEG, GIF or WebP`);
  } catch (error) {
    chat.tell(`Cannot read the image: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function readImage(file: File): Promise<Image> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => resolve({ name: file.name || "image", url: String(reader.result) }));
    reader.addEventListener("error", () => reject(reader.error));
    reader.readAsDataURL(file);
  });
}

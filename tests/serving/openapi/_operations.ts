/** The document's operations. */
import { document, object } from "./_document.ts";

/** All operations, such as `POST /v1/responses`. */
export function findOperations(): string[] {
  return Object.entries(object(document["paths"])).flatMap(([path, operations]) =>
    Object.keys(object(operations)).map((method) => `${method.toUpperCase()} ${path}`)
  );
}

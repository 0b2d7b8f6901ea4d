/** What genuine MLflow wrote: a file of the recordings. */
export function recorded(path: string): string {
  return Deno.readTextFileSync(new URL(`../testdata/mlflow/${path}`, import.meta.url));
}

import { type Credentials, readCredentialsFile, type ReadEnvironment } from "./_environment.ts";

/**
 * What goes into the header `authorization`: what stands in the URI, else name and password of the environment or of
 * `~/.mlflow/credentials` (each for itself, as for MLflow), else the token.
 *
 * @param env Reads the environment.
 * @param ofUri Name and password of the tracking URI.
 * @returns The header; `undefined` for none.
 */
export async function readAuthorization(env: ReadEnvironment, ofUri?: Credentials): Promise<string | undefined> {
  if (ofUri !== undefined) return basic(ofUri.username ?? "", ofUri.password ?? "");
  let username = env("MLFLOW_TRACKING_USERNAME");
  let password = env("MLFLOW_TRACKING_PASSWORD");
  if (!username || !password) {
    const file = await readCredentialsFile(env);
    username ||= file.username;
    password ||= file.password;
  }
  if (username && password) return basic(username, password);
  const token = env("MLFLOW_TRACKING_TOKEN");
  return token ? `Bearer ${token}` : undefined;
}

function basic(username: string, password: string): string {
  return `Basic ${new TextEncoder().encode(`${username}:${password}`).toBase64()}`;
}

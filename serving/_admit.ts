/** What stands between a request and its model: whom its key lets in, and how many run at once. */
import { allowsModel, checkModel } from "./access/mod.ts";
import type { LoadedModel, ModelDirectory } from "./directory.ts";
import type { Admission, Ticket } from "./limits/mod.ts";
import type { RequestScope } from "./_request_scope.ts";
import type { AnswerHeaders } from "./_respond.ts";
import type { Model } from "../types/mod.ts";

/** What a request is let in by. */
export interface AdmitOptions {
  readonly directory: ModelDirectory;
  /** Limits what runs; absent where nothing is limited. */
  readonly admission: Admission | undefined;
}

/** Who asks, and where what is told of limits goes. */
export interface Asking {
  readonly scope: RequestScope;
  readonly headers: AnswerHeaders;
}

/**
 * Checks that the key of a request is for the model that it names, or for the default if it names none.
 *
 * @param name What the request names.
 * @param scope The request.
 * @param directory The models.
 * @returns At once, unless the default must be asked for.
 * @throws {ChatModelError} If it is not; by rejecting where that takes time.
 */
export function checkAccess(
  name: string | undefined,
  scope: RequestScope,
  directory: ModelDirectory,
): void | Promise<void> {
  const { key } = scope;
  if (key?.models === undefined) return;
  if (name !== undefined) return checkModel(key, name);
  const check = ([first]: readonly Model[]) => first && checkModel(key, first.id);
  const models = directory.list(scope.signal);
  return models instanceof Promise ? models.then(check) : check(models);
}

/** The models that a request's key is for. */
export function allowedModels(models: readonly Model[], { key }: RequestScope): readonly Model[] {
  return key?.models === undefined ? models : models.filter(({ id }) => allowsModel(key, id));
}

/**
 * Lets a request in to a model.
 *
 * @param model The model.
 * @param tokens Estimates the tokens that the request will use; called only where they are limited.
 * @param asking Gets the ticket, which is given back when the request is over, and headers that tell how much is left.
 * @param admission Who decides.
 * @returns The model; at once, unless the request must wait for its turn.
 * @throws {ChatModelError} If it is refused; by rejecting where it waited.
 */
export function admit<M extends LoadedModel>(
  model: M,
  tokens: () => number,
  { scope, headers }: Asking,
  admission: Admission | undefined,
): M | Promise<M> {
  const { key, observer } = scope;
  if (observer !== undefined) observer.model ??= model.name;
  if (admission === undefined) return model;
  const take = (ticket: Ticket): M => {
    scope.ticket = ticket;
    ticket.addHeaders(headers);
    return model;
  };
  const ticket = admission.enter({
    model: model.name,
    key,
    tokens: key?.tokensPerMinute === undefined ? 0 : tokens(),
    signal: () => scope.signal,
  });
  return ticket instanceof Promise ? ticket.then(take) : take(ticket);
}

/** A custom model for the checks of worker and loader: says what it was given. */
import { CustomModel, type ModelContext } from "@chatmodel/chat-model";

export default class CustomLoaderModel extends CustomModel {
  override predict(_context: ModelContext, input: unknown, params: { readonly [name: string]: unknown }): unknown {
    return params.unit === "bigint" ? 1n : { input, params };
  }
}

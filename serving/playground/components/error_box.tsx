import type { ComponentChildren, JSX } from "preact";
import type { Failure } from "../state/types.ts";
import { Icon } from "./icons.tsx";

/** An error, with what one needs to look it up. */
export function ErrorBox(
  { failure, children }: { readonly failure: Failure; readonly children?: ComponentChildren },
): JSX.Element {
  const { message, status, inStream = false, code, type, param, requestId } = failure;
  const facts = [
    ["Status", inStream ? `${status}, then an error in the stream` : status],
    ["Code", code],
    ["Type", type],
    ["Field", param],
    ["Request", requestId],
  ] as const;
  return (
    <div class="error" data-testid="error">
      <Icon name="alert" />
      <div class="error-body">
        <p class="error-message">{message}</p>
        <dl class="facts">
          {facts.map(([name, value]) =>
            value !== undefined && (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            )
          )}
        </dl>
        {children}
      </div>
    </div>
  );
}

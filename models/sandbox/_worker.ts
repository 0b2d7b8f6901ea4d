/**
 * What runs in a sandbox's worker beside the model. It imports all that a model most likely needs of this package: what
 * is imported here needs no permission, what the model imports does.
 */
import "../../mod.ts";
import "../../streaming/mod.ts";
import "../../adapters/demo/mod.ts";
import "../../adapters/ollama/mod.ts";
import "../../adapters/openai/mod.ts";
import type { HostMessage } from "./_protocol.ts";
import { SandboxSession } from "./_session.ts";
import { shield } from "./_shield.ts";

globalThis.addEventListener("message", (event: Event) => {
  const port = event instanceof MessageEvent ? event.ports[0] : undefined;
  if (port === undefined) return;
  // A port that only this function knows: what a model sends by its own hand comes in elsewhere.
  const post = port.postMessage.bind(port);
  const session = new SandboxSession((message) => post(message));
  shield((how) => post({ type: "closing", how }));
  port.onmessage = ({ data }: MessageEvent<HostMessage>) => session.take(data);
  post({ type: "ready" });
}, { once: true });

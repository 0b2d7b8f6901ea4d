import { assertEquals } from "@std/assert";
import { type Lock, pruneLock } from "../../models/_lock.ts";

const integrity = "sha512-x";
const LOCK: Lock = {
  version: "5",
  specifiers: {
    "jsr:@std/a@^1.0.0": "1.0.1",
    "jsr:@std/b@2": "2.0.0",
    "jsr:@std/unused@1": "1.0.0",
    "npm:one@1": "1.0.0",
    "npm:one@2": "2.0.0_peer@3.0.0",
    "npm:other@1": "1.0.0",
  },
  jsr: {
    "@std/a@1.0.1": { integrity, dependencies: ["jsr:@std/b", "npm:other"] },
    "@std/b@2.0.0": { integrity },
    "@std/unused@1.0.0": { integrity },
  },
  npm: {
    "one@1.0.0": { integrity },
    "one@2.0.0_peer@3.0.0": { integrity, dependencies: ["peer", "alias@npm:real@4.0.0"], optionalPeers: ["absent"] },
    "peer@3.0.0": { integrity, dependencies: ["one@2.0.0_peer@3.0.0"] },
    "real@4.0.0": { integrity, optionalDependencies: ["native"] },
    "native@5.0.0": { integrity },
    "other@1.0.0": { integrity },
  },
  redirects: {},
  remote: { "https://example.org/a.ts": "hash" },
};

/** Keys of each part of what is left. */
function kept(needed: string[], wanted: string[] = []): unknown {
  const lock = pruneLock(LOCK, needed, wanted);
  if (lock === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(lock).map(([part, value]) => [part, part === "version" ? value : Object.keys(value)]),
  );
}

Deno.test("pruneLock() keeps packages with all that they need and nothing else", () => {
  assertEquals(kept(["npm:one@^2/sub/path"]), {
    version: "5",
    specifiers: ["npm:one@1", "npm:one@2"],
    npm: ["one@1.0.0", "one@2.0.0_peer@3.0.0", "peer@3.0.0", "real@4.0.0", "native@5.0.0"],
  }, "a range in another form than the lock's: all of the package");
  assertEquals(kept(["npm:/one@1"]), { version: "5", specifiers: ["npm:one@1"], npm: ["one@1.0.0"] });
  assertEquals(kept(["jsr:@std/a@^1.0.0/x"]), {
    version: "5",
    specifiers: ["jsr:@std/a@^1.0.0", "jsr:@std/b@2", "npm:other@1"],
    jsr: ["@std/a@1.0.1", "@std/b@2.0.0"],
    npm: ["other@1.0.0"],
  });
  assertEquals(kept(["https://example.org/a.ts", "jsr:@std/b"]), {
    version: "5",
    specifiers: ["jsr:@std/b@2"],
    jsr: ["@std/b@2.0.0"],
    remote: ["https://example.org/a.ts"],
  });
});

Deno.test("pruneLock() gives nothing when an import is not locked, unless it may be absent", () => {
  assertEquals(kept(["npm:one@1", "npm:missing@1"]), undefined);
  assertEquals(kept(["https://example.org/b.ts"]), undefined);
  assertEquals(kept([], ["jsr:@chatmodel/chat-model@^1"]), { version: "5" });
  assertEquals(kept([], ["jsr:@std/b@2"]), { version: "5", specifiers: ["jsr:@std/b@2"], jsr: ["@std/b@2.0.0"] });
});

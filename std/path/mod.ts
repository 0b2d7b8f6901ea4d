/**
 * `@std/path` for development: hands on the npm mirror's code under the names and types of the JSR package.
 * Published code depends on the real `jsr:@std/path`.
 */
import * as std from "deno-std/path/mod.js";

export const basename: (path: string | URL, suffix?: string) => string = std.basename;
export const dirname: (path: string | URL) => string = std.dirname;
export const extname: (path: string | URL) => string = std.extname;
export const fromFileUrl: (url: string | URL) => string = std.fromFileUrl;
export const isAbsolute: (path: string) => boolean = std.isAbsolute;
export const join: (path?: string | URL, ...paths: string[]) => string = std.join;
export const resolve: (...paths: string[]) => string = std.resolve;
export const toFileUrl: (path: string) => URL = std.toFileUrl;

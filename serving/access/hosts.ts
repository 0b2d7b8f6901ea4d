import { ChatModelError } from "../../types/mod.ts";

/** Hosts longer than that are cut in messages. */
const QUOTED_LENGTH = 100;

/** A name, four numbers or an IPv6 address in brackets; then perhaps a port. */
const HOST_REGEXP = /^([\w.-]+|\[[\da-f:.]+\])(?::\d{0,5})?$/i;

const OCTET = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";

/** Names of this machine: RFC 6761 §6.3 keeps `localhost` and all below it from DNS, RFC 1122 §3.2.1.3 has 127/8. */
const LOOPBACK_REGEXP = new RegExp(`^(?:(?:[\\w-]+\\.)*localhost|127\\.${OCTET}\\.${OCTET}\\.${OCTET}|\\[::1\\])$`);

/**
 * Whether a `Host` header names this machine: `localhost`, a name below it, an address of 127.0.0.0/8, or `[::1]`; with
 * or without a port.
 *
 * @param hostHeader Value of the header.
 * @returns Whether it does.
 */
export function isLoopbackHost(hostHeader: string): boolean {
  const host = hostOf(hostHeader);
  return host !== undefined && LOOPBACK_REGEXP.test(host);
}

/**
 * Whether a server that listens on an address can be reached from this machine only.
 *
 * @param address Name or address, as `--host` takes it: an IPv6 address with or without brackets.
 * @returns Whether it is so.
 */
export function isLoopbackAddress(address: string): boolean {
  return LOOPBACK_REGEXP.test(normalize(address));
}

/**
 * Checks that a text can be a host to allow, and brings it into the form that {@linkcode checkHost} compares.
 *
 * @param text A name or an address, without scheme, port and path.
 * @returns It in lower case, an IPv6 address in brackets.
 * @throws {TypeError} If it is none, as it could never match.
 */
export function parseAllowedHost(text: string): string {
  const host = normalize(text);
  if (/^(?:[\w-]+(?:\.[\w-]+)*|\[[\da-f:.]+\])$/.test(host) && URL.canParse(`http://${host}/`)) return host;
  throw new TypeError(
    `Cannot allow host "${text}": it must be a name or an address such as "chat.example.com", without a port`,
  );
}

/**
 * Checks the `Host` of a request to a server that listens on loopback. A page of any site can have its own name point
 * to 127.0.0.1 (DNS rebinding), and then read what the server answers as its own; the name is what gives it away.
 *
 * @param hostHeader Value of the header. Where there is none, which no browser sends, hand in the host of the URL.
 * @param allowedHosts Other hosts under which the server may be asked, from {@linkcode parseAllowedHost}; whatever port
 * they come with.
 * @throws {ChatModelError} Status 403, code `host_not_allowed`, if it is none of them.
 */
export function checkHost(hostHeader: string, allowedHosts: readonly string[]): void {
  const host = hostOf(hostHeader);
  if (host !== undefined && (LOOPBACK_REGEXP.test(host) || allowedHosts.includes(host))) return;
  const shown = (host ?? hostHeader).slice(0, QUOTED_LENGTH);
  throw new ChatModelError(
    `Cannot serve host ${JSON.stringify(shown)}: the server is for this machine only. ` +
      "Use localhost, or allow the host with --allow-host NAME",
    { code: "host_not_allowed" },
  );
}

/** The host without its port, as it is compared. */
function hostOf(hostHeader: string): string | undefined {
  const [, host] = HOST_REGEXP.exec(hostHeader) ?? [];
  return host === undefined ? undefined : normalize(host);
}

/** In lower case, without the dot that ends an absolute name, and in brackets if it is an IPv6 address. */
function normalize(host: string): string {
  const plain = host.toLowerCase().replace(/\.$/, "");
  return plain.includes(":") && !plain.startsWith("[") ? `[${plain}]` : plain;
}

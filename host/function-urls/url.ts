// The URL of a function: labels of its own before the host name by which the caller reached this host.

/** Host names do not take labels in front of an address; names below localhost mean this machine (RFC 6761). */
const ADDRESS = /^(?:\d+(?:\.\d+){3}|\[.*\])$/;

const ORIGIN = /^(?<scheme>https?):\/\/(?<host>\[[^\]]*\]|[^:/]*)(?<port>:\d+)?$/;

/**
 * @param origin scheme, host and port that the caller uses, without a slash at the end. An address in place of a name is shown
 * as `localhost`, which serves callers on the same machine; others need the host to have a public URL with a name.
 */
export function functionUrl(origin: string, region: string, id: string): string {
  const { scheme = 'http', host = '', port = '' } = ORIGIN.exec(origin)?.groups ?? {};
  const base = host === '' || ADDRESS.test(host) ? 'localhost' : host;
  return `${scheme}://${id}.lambda-url.${region}.${base}${port}/`;
}

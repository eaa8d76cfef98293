import type { Config } from '#gateway/core/config.ts';
import type { HttpRequest } from './carrier.ts';

/** Says whether a request's Host and Origin may use this listener; the sentence is what is wrong with it, or null. */
export type HostCheck = (request: Pick<HttpRequest, 'headers'>) => string | null;

interface Listened {
  readonly url: string;
  readonly listen: Pick<Config['listen'], 'hosts' | 'origins'>;
}

/**
 * Against DNS rebinding: a web page can make a browser call 127.0.0.1, but not choose the Host and Origin it sends. Host
 * must be one we answer to; an Origin, which only browsers send, must be our own or a configured one.
 */
export function createHostCheck({ url, listen }: Listened): HostCheck {
  const hosts = new Set(['127.0.0.1', 'localhost', '[::1]', new URL(url).hostname, ...listen.hosts.map(hostname)]);
  const origins = new Set(listen.origins.map((origin) => origin.toLowerCase()));
  return (request) => {
    const { host, origin } = request.headers;
    if (host === undefined || !hosts.has(hostname(host))) return 'This Host is not one the gateway answers to.';
    if (origin === undefined || origins.has(origin.toLowerCase())) return null;
    const own = origin.replace(/^https?:\/\//, '').toLowerCase() === host.toLowerCase();
    return own ? null : 'Browsers of this Origin may not call: add it to listen.origins.';
  };
}

const hostname = (host: string): string => host.toLowerCase().replace(/:\d+$/, '');

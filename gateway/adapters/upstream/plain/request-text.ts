/** A request as it is written to a socket, whole. */
export interface RequestText {
  readonly text: string;
  readonly encoding: 'latin1' | 'utf8';
}

type Headers = Readonly<Record<string, string>>;

const names = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
const values = /^[\x20-\x7e]*$/;
/** What this client says itself about the message and its connection. */
const ours = new Set([
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'expect',
  'upgrade',
  'te',
  'trailer',
]);

/** Writes POST requests to one URL. What a frozen headers object says is worked out once. */
export function createRequestWriter({ host, pathname, search }: URL): (headers: Headers, body: string) => RequestText {
  const written = new WeakMap<Headers, string>();
  const start = `POST ${pathname}${search} HTTP/1.1\r\nhost: ${host}\r\nconnection: keep-alive\r\n`;

  const headOf = (headers: Headers): string => {
    const known = written.get(headers);
    if (known !== undefined) return known;
    let head = start;
    for (const [name, value] of Object.entries(headers)) head += lineOf(name, value);
    head += 'content-length: ';
    if (Object.isFrozen(headers)) written.set(headers, head);
    return head;
  };

  return (headers, body) => {
    const bytes = Buffer.byteLength(body);
    const text = `${headOf(headers)}${bytes}\r\n\r\n${body}`;
    // As many bytes as characters: then it is ASCII, and latin-1 is the cheaper way to write it.
    return { text, encoding: bytes === body.length ? 'latin1' : 'utf8' };
  };
}

/** Throws on what no header can carry, without saying what it was: it may be a credential. */
function lineOf(name: string, value: string): string {
  if (!names.test(name) || ours.has(name)) throw new TypeError('a request cannot carry a header of this name');
  if (!values.test(value)) throw new TypeError(`the header ${name} holds something that is not visible ASCII`);
  return `${name}: ${value}\r\n`;
}

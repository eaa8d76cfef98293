import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serve } from './part.ts';

/** Where traces go: it takes them and forgets them. */
const server = createServer((request, response) => {
  request.resume();
  request.on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'));
});

server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  serve({ url: `http://127.0.0.1:${port}` }, () => server.closeAllConnections());
});

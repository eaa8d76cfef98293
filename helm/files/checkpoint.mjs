// What `helm test` runs in the cluster: ready, and shut to whoever brings no token.
const { READY_URL, MCP_URL } = process.env;
const complain = (sentence) => {
  console.error(sentence);
  process.exit(1);
};

const ready = await fetch(READY_URL);
if (ready.status !== 200) complain(`${READY_URL} answered ${ready.status}: ${await ready.text()}`);

const answer = await fetch(MCP_URL, {
  method: 'POST',
  headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
  body: JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'helm-test', version: '1' } },
  }),
});
if (answer.status !== 401) complain(`${MCP_URL} answered ${answer.status} to a caller without a token, not 401`);
if (!answer.headers.get('www-authenticate')) complain(`${MCP_URL} answered 401 without a challenge`);
console.log('ready, and shut to callers without a token');

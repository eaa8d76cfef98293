/**
 * A link or image whose address is to be filled with what was said, or already is: showing it sends it. Each pattern takes linear
 * time: what repeats is bounded.
 */
const image =
  /!\[[^\]\n]{0,200}\]\(\s{0,4}<?(https?:\/\/[^\s)>]{1,4000})|<(?:img|iframe|video|audio|source|script|link)\s[^>]{0,300}?(?:src|href)\s{0,2}=\s{0,2}["']?(https?:\/\/[^\s"'>]{1,4000})/gi;
const link = /\]\(\s{0,4}<?(https?:\/\/[^\s)>]{1,4000})/gi;

/** What stands for something that the model is to put there. */
const placeholder =
  /[?&/=](?:[{<[]{1,2}|%7B|%3C|\$\{?|__?)[A-Za-z][\w .-]{2,60}(?:[}>\]]{1,2}|%7D|%3E|__?)?(?:$|[&#/])/i;
const wanted =
  /data|secret|token|key|chat|history|conversation|prompt|message|content|summary|answer|info|context|user|email|password|result|text|output|env|base64|exfil|stolen|payload/i;

export function carriesOut(text: string): boolean {
  if (!text.includes('://')) return false;
  for (const [, markdown, html] of text.matchAll(image)) {
    const address = markdown ?? html ?? '';
    if (isFilled(address)) return true;
  }
  for (const [, address = ''] of text.matchAll(link)) if (isFilled(address)) return true;
  return false;
}

function isFilled(address: string): boolean {
  const found = placeholder.exec(address)?.[0];
  return found !== undefined && /[{<[$]|%7B|%3C|__/i.test(found) && wanted.test(found);
}

/**
 * A stand-in for a language model: the chat API of OpenAI's shape, on this machine, with two rules where a model has
 * judgement. It reads a request as any model must: the mark from the system message, the content between the lines with it.
 */
import { createServer } from 'node:http';

const RULES = [
  {
    code: 'mixing',
    severity: 1,
    pattern: /mix bleach with\s+(?:vinegar|ammonia)/i,
    message: 'Bleach gives off chlorine when it is mixed so.',
  },
  { code: 'electricity', severity: 0.9, pattern: /unscrew the socket/i, message: 'The mains are still on.' },
];

/** Every text of a JSON value. */
const textsOf = (value) => (typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsOf) : [String(value)]);

function judge(messages) {
  const mark = /^The mark of this request: (\w+)$/m.exec(messages[0].content)[1];
  const data = new RegExp(`^BEGIN content ${mark}\\n(.*)\\nEND content ${mark}$`, 'm').exec(messages[1].content)[1];
  const texts = textsOf(JSON.parse(data));
  const violations = RULES.flatMap(({ code, severity, pattern, message }) => {
    const [quote] = texts.map((text) => pattern.exec(text)?.[0]).filter((met) => met !== undefined);
    return quote === undefined ? [] : [{ code, message, severity, quote }];
  });
  const severity = Math.max(0, ...violations.map((violation) => violation.severity));
  return { reasons: [], violations, severity, uncertainty: 0 };
}

const server = createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const body = Buffer.concat(chunks).toString();
    if (request.url !== '/v1/chat/completions') return response.writeHead(404).end();
    const content = JSON.stringify(judge(JSON.parse(body).messages));
    response.writeHead(200, { 'content-type': 'application/json' }).end(
      JSON.stringify({
        model: 'stand-in',
        choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content } }],
        // Four characters are about one token.
        usage: { prompt_tokens: Math.ceil(body.length / 4), completion_tokens: Math.ceil(content.length / 4) },
      }),
    );
  });
});

server.listen(Number(process.env.PORT ?? 8090), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}/v1`);
});

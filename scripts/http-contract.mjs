// Writes the published contract of the http critic from its schemas: node --import tsx scripts/http-contract.mjs
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { httpCriticOpenApi, httpCriticSchema } from '../src/critics/http/contract.ts';

const files = { 'docs/http-critic.openapi.json': httpCriticOpenApi(), 'docs/http-critic.schema.json': httpCriticSchema() };
for (const [file, value] of Object.entries(files)) writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);
execFileSync('npx', ['oxfmt', ...Object.keys(files)]);

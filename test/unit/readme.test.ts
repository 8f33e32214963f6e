/** What the README shows is what there is. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { makeRegistry } from '../../src/critics/registry.js';
import { loadDeployment } from '../../src/deployment.js';
import { loadPlan } from '../../src/plan-loader.js';

const readme = readFileSync('README.md', 'utf8');
const blocks = (language: string): string[] =>
  [...readme.matchAll(new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``, 'g'))].map((match) => match[1] ?? '');

describe('the README', () => {
  it('shows a plan that has no problem and no warning', async () => {
    const [text = ''] = blocks('yaml');
    expect(await loadPlan({ file: 'README.md', text }, makeRegistry())).toMatchObject({ ok: true, warnings: [] });
  });

  it('shows the own critic that stands in the examples, whose deployment loads', async () => {
    expect(blocks('js')).toEqual([readFileSync('examples/own-critic/critics.mjs', 'utf8')]);
    const deployment = await loadDeployment({ file: 'examples/own-critic/tribunal.yaml' });
    expect([...deployment.plans.keys()]).toEqual(['polite']);
    expect(deployment.warnings).toEqual([]);
  });

  it('links only to what exists', () => {
    const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map((match) => match[1] ?? '');
    expect(links.length).toBeGreaterThan(5);
    expect(links.filter((link) => !existsSync(link))).toEqual([]);
  });

  it('names only commands that the package has', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
    const named = [...readme.matchAll(/npm (?:run )?(demo|test|bench|verify|build)\b/g)].map((match) => match[1] ?? '');
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });
});

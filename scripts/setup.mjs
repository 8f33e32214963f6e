#!/usr/bin/env node
/**
 * Makes a fresh clone ready: installs what package-lock.json names and builds `dist/`, each only when it is needed.
 * The commands of package.json begin with it, so that any of them can be the first one. Imports Node alone, and keeps to
 * syntax that an old Node can read, so that it can say what is too old.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const LEAST_NODE = [20, 19];
const root = fileURLToPath(new URL('..', import.meta.url));
const stamp = join(root, 'dist', '.stamp');
const BUILT_FROM = ['src', 'temporal', 'scripts/bundle-workflows.mjs', 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json'];

checkNode();
if (!isInstalled()) install();
const sources = digestOf(BUILT_FROM);
if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== sources) build(sources);

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > LEAST_NODE[0] || (major === LEAST_NODE[0] && minor >= LEAST_NODE[1])) return;
  fail(
    `tribunal needs Node ${LEAST_NODE.join('.')} or newer; this is ${process.versions.node}. Install a newer one from https://nodejs.org or by your version manager.`,
  );
}

/** npm writes down what it has installed when it has ended well; optional packages are those of other platforms. */
function isInstalled() {
  const record = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(record)) return false;
  const installed = JSON.parse(readFileSync(record, 'utf8')).packages;
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  return Object.keys(wanted).every((place) => {
    if (place === '' || wanted[place].optional) return true;
    return place in installed && installed[place].version === wanted[place].version;
  });
}

function install() {
  say('Installing dependencies, once; this takes about half a minute.');
  // Nothing that is installed needs its install scripts. The build needs the development packages, whatever NODE_ENV says.
  const options = ['--ignore-scripts', '--include=dev', '--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error'];
  if (run('npm', ['ci', ...options])) return;
  // A lock that npm refuses must not pass unseen where changes are checked.
  if (process.env.CI) fail('`npm ci` refuses package-lock.json: run scripts/complete-lock.mjs after a change of a dependency.');
  say('`npm ci` did not work; trying `npm install` with the same lock.');
  if (!run('npm', ['install', '--no-save', ...options]))
    fail('Could not install the dependencies: see what npm says above, then run this command again.');
}

function build(digest) {
  say('Building.');
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  if (!run(process.execPath, [compiler, '-p', 'tsconfig.build.json'])) fail('Could not build: see what the compiler says above.');
  if (!run(process.execPath, [join('scripts', 'bundle-workflows.mjs')])) fail('Could not bundle the workflows: see above.');
  chmodSync(join(root, 'dist', 'src', 'cli.js'), 0o755);
  writeFileSync(stamp, digest);
}

/** Everything goes to stderr: stdout is for the command that comes next. */
function run(command, args) {
  const shell = process.platform === 'win32' && command === 'npm';
  return spawnSync(command, args, { cwd: root, shell, stdio: ['ignore', process.stderr, 'inherit'] }).status === 0;
}

function digestOf(places) {
  const hash = createHash('sha256');
  for (const place of places.flatMap(filesOf)) hash.update(`${place}\0`).update(readFileSync(join(root, place)));
  return hash.digest('hex');
}

function filesOf(place) {
  if (!statSync(join(root, place)).isDirectory()) return [place];
  return readdirSync(join(root, place))
    .sort()
    .flatMap((name) => filesOf(`${place}/${name}`));
}

function say(line) {
  process.stderr.write(`${line}\n`);
}

function fail(line) {
  say(line);
  process.exit(1);
}

#!/usr/bin/env node
/**
 * Completes package-lock.json after `npm install`: `npm ci` refuses a lock that lacks an optional platform package, and npm
 * leaves those out that its registry does not offer. Adds them as version and platform, without an integrity hash, and
 * removes `resolved` addresses, so that the lock fits every registry. Run it after every change of a dependency.
 * Imports Node alone.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const SYSTEMS = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];
const PROCESSORS = ['arm', 'arm64', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'x64'];
const C_LIBRARIES = { gnu: 'glibc', musl: 'musl', gnueabihf: 'glibc', musleabihf: 'musl' };

const file = process.argv[2] ?? fileURLToPath(new URL('../package-lock.json', import.meta.url));
const lock = JSON.parse(readFileSync(file, 'utf8'));
const packages = lock.packages;

let added = 0;
for (const [place, entry] of Object.entries(packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    if (isInstalled(place, name)) continue;
    packages[`node_modules/${name}`] = { version, ...(entry.dev ? { dev: true } : {}), optional: true, ...platformOf(name) };
    added += 1;
  }
}
let stripped = 0;
for (const entry of Object.values(packages)) {
  if (!('resolved' in entry)) continue;
  delete entry.resolved;
  stripped += 1;
}
const [root, ...others] = Object.entries(packages);
lock.packages = Object.fromEntries([root, ...others.sort(([a], [b]) => a.localeCompare(b, 'en'))]);
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`${file}: ${added} platform packages added, ${stripped} addresses removed`);

/** Node looks for a package in the folder of the one that needs it, then in every folder above. */
function isInstalled(place, name) {
  for (let folder = place; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    if (`${folder === '' ? '' : `${folder}/`}node_modules/${name}` in packages) return true;
    if (folder === '') return false;
  }
}

/** `@swc/core-linux-arm-gnueabihf`: the last system and processor that the name holds, and the C library. */
function platformOf(name) {
  const words = name.slice(name.lastIndexOf('/') + 1).split('-');
  const system = words.find((word) => SYSTEMS.includes(word));
  const processor = words.find((word) => PROCESSORS.includes(word));
  if (system === undefined || processor === undefined)
    throw new Error(`Could not complete the lock: the name ${name} tells no platform; add the package by hand.`);
  const library = words.map((word) => C_LIBRARIES[word]).find((found) => found !== undefined);
  return { os: [system], cpu: [processor], ...(system === 'linux' && library !== undefined ? { libc: [library] } : {}) };
}

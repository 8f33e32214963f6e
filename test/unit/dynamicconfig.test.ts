import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { DYNAMIC_CONFIG } from '../../temporal/dynamic-config.js';

const read = (file: string): string => readFileSync(new URL(`../../temporal/${file}`, import.meta.url), 'utf8');

test('the dynamic configuration file for own servers has exactly the values of the embedded server', () => {
  const file: unknown = parse(read('dynamicconfig.yaml'));
  expect(file).toEqual(Object.fromEntries(Object.entries(DYNAMIC_CONFIG).map(([key, value]) => [key, [{ value }]])));
});

test('the compose file mounts the dynamic configuration, pins every image and opens ports on the loopback interface alone', () => {
  const compose: { services: Record<string, { image: string; ports?: string[]; volumes?: string[] }> } = parse(read('compose.yaml'));
  const services = Object.values(compose.services);
  expect(services.every((service) => /:\d[\w.-]*$/.test(service.image))).toBe(true);
  const ports = services.flatMap((service) => service.ports ?? []);
  expect(ports.length).toBeGreaterThan(0);
  expect(ports.every((port) => port.startsWith('127.0.0.1:'))).toBe(true);
  expect(compose.services['temporal']?.volumes?.[0]).toMatch(/^\.\/dynamicconfig\.yaml:/);
});

test('a shell in the compose file sees its own variables, not those of compose', () => {
  expect(read('compose.yaml').match(/(?<!\$)\$(?!\$)/g)).toBeNull();
});

/** `tribunal critic new|test`: critics of one's own. */
import type { Command } from 'commander';
import type { Cli } from './command.js';
import { addCriticNew } from './critic-new.js';
import { addCriticTest } from './critic-test.js';

export function addCritic(program: Command, cli: Cli): void {
  const critic = program.command('critic').description('write and test critics of your own');
  addCriticNew(critic, cli);
  addCriticTest(critic, cli);
}

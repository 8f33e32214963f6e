/** What a scenario gets and gives. */
import type { Connection } from '@temporalio/client';
import type { Figure } from './measure.js';
import type { Variant, VariantName } from './variants.js';

export interface Bench {
  readonly address: string;
  readonly connection: Connection;
  /** Few samples: shows that the bench works, says nothing about speed. */
  readonly quick: boolean;
  /** For files that a scenario makes; removed at the end. */
  readonly folder: string;
  /** Files with bundles: ours is the one of the build, the others are made in this run. */
  readonly bundles: { readonly ours: string; readonly anchors: string; readonly empty: string };
  /** The variant's worker, warm; started at its first use and kept. `width`: times the usual number of critics. */
  variant(name: VariantName, width?: number): Promise<Variant>;
}

/** One load shape. */
export interface Scenario {
  readonly name: string;
  readonly title: string;
  run(bench: Bench): Promise<Figure[]>;
}
